import type { CapabilityStatement } from '@medplum/fhirtypes';
import { resourceTypes, searchParametersOf } from './definitions.ts';

/** `GET /metadata` (FHIR R4 §2.21.0.2, CapabilityStatement). `date` is when the server started. */
export function capabilityStatement(fhirBase: string, issuer: string, date: string): CapabilityStatement {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date,
    kind: 'instance',
    software: { name: 'Open Prior Auth sandbox EHR' },
    implementation: { description: 'Synthetic patients only', url: fhirBase },
    fhirVersion: '4.0.1',
    format: ['json'],
    rest: [
      {
        mode: 'server',
        security: {
          cors: true,
          service: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }] }],
          extension: [
            {
              url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
              extension: [
                { url: 'authorize', valueUri: `${issuer}/authorize` },
                { url: 'token', valueUri: `${issuer}/token` },
              ],
            },
          ],
        },
        interaction: [{ code: 'transaction' }, { code: 'batch' }],
        resource: resourceTypes.map((type) => ({
          type: type as 'Patient',
          versioning: 'versioned' as const,
          readHistory: true,
          updateCreate: true,
          conditionalCreate: true,
          conditionalUpdate: true,
          interaction: (['read', 'vread', 'history-instance', 'create', 'update', 'delete', 'search-type'] as const).map((code) => ({ code })),
          searchInclude: Object.entries(searchParametersOf(type)).flatMap(([name, { type: kind }]) => (kind === 'reference' ? [`${type}:${name}`] : [])),
          searchParam: [
            { name: '_id', type: 'token' as const },
            { name: '_lastUpdated', type: 'date' as const },
            ...Object.entries(searchParametersOf(type)).map(([name, { type: kind }]) => ({ name, type: kind })),
          ],
        })),
      },
    ],
  };
}
