import type { CapabilityStatement, CapabilityStatementRestResource, CapabilityStatementRestSecurity } from '@medplum/fhirtypes';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { DTR_2_2_0 } from './questionnaires/dtr-version.ts';
import type { PasEndpoint } from './pas-version.ts';
import { BACKPORT_URL, CDEX_SUBMIT_ATTACHMENT, PAS_OPERATION, PAS_SERVER_CAPABILITIES, PAS_TOPIC } from './terms.ts';

const readAndSearchByUrl: Pick<CapabilityStatementRestResource, 'interaction' | 'searchParam'> = {
  interaction: [{ code: 'read' }, { code: 'search-type' }],
  searchParam: [{ name: 'url', type: 'uri' }],
};

const security: CapabilityStatementRestSecurity = {
  service: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }] }],
  description: 'SMART Backend Services: client_credentials with private_key_jwt (ES384, RS384).',
};

function questionnaireResources(nextQuestion: string): CapabilityStatementRestResource[] {
  return [
    {
      type: 'Questionnaire',
      ...readAndSearchByUrl,
      operation: [
        { name: 'questionnaire-package', definition: DTR_URLS.packageOperation },
        { name: 'next-question', definition: nextQuestion },
        { name: 'log-questionnaire-errors', definition: 'http://hl7.org/fhir/us/davinci-dtr/OperationDefinition/log-questionnaire-errors' },
      ],
    },
    { type: 'Library', ...readAndSearchByUrl },
    { type: 'ValueSet', ...readAndSearchByUrl, operation: [{ name: 'expand', definition: 'http://hl7.org/fhir/OperationDefinition/ValueSet-expand' }] },
  ];
}

/** What is served at the address of DTR 2.2.0. */
export function questionnaireCapabilityStatement(baseUrl: string, startedAt: string): CapabilityStatement {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: startedAt,
    kind: 'instance',
    software: { name: 'Open Prior Auth payer (synthetic)' },
    implementation: { description: 'Questionnaires of DTR 2.2.0 of a payer for trying out prior authorization. Synthetic data only.', url: `${baseUrl}${DTR_2_2_0.basePath}` },
    fhirVersion: '4.0.1',
    format: ['json'],
    implementationGuide: ['http://hl7.org/fhir/us/davinci-dtr/ImplementationGuide/hl7.fhir.us.davinci-dtr|2.2.0'],
    rest: [{ mode: 'server', security, resource: questionnaireResources(DTR_BESIDE['2.2.1'].nextQuestion) }],
  };
}

const DTR_BESIDE = {
  '2.0.1': { version: '2.0.1', nextQuestion: 'http://hl7.org/fhir/uv/sdc/OperationDefinition/Questionnaire-next-question' },
  '2.2.1': { version: '2.2.0', nextQuestion: 'http://hl7.org/fhir/us/davinci-dtr/OperationDefinition/DTR-Questionnaire-next-question' },
} as const;

const GUIDE = 'http://hl7.org/fhir/us/davinci-pas/ImplementationGuide/hl7.fhir.us.davinci-pas';

/** What is served at one PAS address: the operations and subscriptions of its version, and the questionnaires of the DTR version that goes with it. */
export function capabilityStatement({ version, fhirBase }: PasEndpoint, startedAt: string): CapabilityStatement {
  const forms = DTR_BESIDE[version];
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: startedAt,
    kind: 'instance',
    instantiates: [`${PAS_SERVER_CAPABILITIES}|${version}`],
    software: { name: 'Open Prior Auth payer (synthetic)' },
    implementation: { description: `A payer for trying out prior authorization by PAS ${version}. Synthetic data only.`, url: fhirBase },
    fhirVersion: '4.0.1',
    format: ['json'],
    implementationGuide: [`${GUIDE}|${version}`, `http://hl7.org/fhir/us/davinci-dtr/ImplementationGuide/hl7.fhir.us.davinci-dtr|${forms.version}`],
    rest: [
      {
        mode: 'server',
        security,
        resource: [
          {
            type: 'Claim',
            operation: [
              { name: 'submit', definition: PAS_OPERATION.submit },
              { name: 'inquire', definition: PAS_OPERATION.inquire },
            ],
          },
          {
            extension: [{ url: BACKPORT_URL.topicCanonical, valueCanonical: PAS_TOPIC }],
            type: 'Subscription',
            interaction: [{ code: 'create' }, { code: 'read' }, { code: 'update' }, { code: 'delete' }],
            operation: [
              { name: 'status', definition: 'http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-status' },
              { name: 'events', definition: 'http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-events' },
            ],
          },
          ...questionnaireResources(forms.nextQuestion),
        ],
        operation: [{ name: 'submit-attachment', definition: CDEX_SUBMIT_ATTACHMENT }],
      },
    ],
  };
}
