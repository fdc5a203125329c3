import type { Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { openValidator } from '#fhir/validation/validator.ts';
import { loadPolicies } from '#policies/load-policies.ts';
import { playPolicies } from '../../test-fixtures/played-policies.ts';
import { answerFaults } from '../answer-rules/answer-rules.ts';
import { type CrdVersion, HOOKS } from '../hook-call.ts';

const library = loadPolicies();
const VALIDATORS = { '2.0': openValidator(['crd-2.0.1']), '2.2': openValidator(['crd-2.2.0-preview']) };
const same = { status: 'draft', intent: 'order', authoredOn: '2026-11-22', subject: { reference: 'Patient/p1' }, requester: { reference: 'Practitioner/u1' } };

/** A draft of the type that usually carries the code. */
function draftOf(system: string, code: string): Resource {
  const coding = { coding: [{ system, code }] };
  if (system === CODE_SYSTEMS.hcpcs && /^[EKL]/.test(code)) return { resourceType: 'DeviceRequest', id: 'o1', ...same, codeCodeableConcept: coding, parameter: [{ code: { text: 'Quantity' }, valueQuantity: { value: 1_000, unit: 'months' } }] } as Resource;
  if (system === CODE_SYSTEMS.hcpcs && /^[JQ]/.test(code)) return { resourceType: 'MedicationRequest', id: 'o1', ...same, medicationCodeableConcept: coding } as Resource;
  return { resourceType: 'ServiceRequest', id: 'o1', ...same, code: coding } as Resource;
}

const checked = new Set<string>();

/** Of what was not checked before. */
function errors(version: CrdVersion, resource: Resource): readonly string[] {
  const key = `${version} ${JSON.stringify(resource)}`;
  if (checked.has(key)) return [];
  checked.add(key);
  const name = resource.resourceType === 'Task' ? 'taskquestionnaire' : resource.resourceType.toLowerCase();
  const { issues } = VALIDATORS[version].validate(resource, resource.resourceType === 'Questionnaire' ? {} : { profile: `http://hl7.org/fhir/us/davinci-crd/StructureDefinition/profile-${name}` });
  return issues.filter(({ severity }) => severity === 'error').map(({ path, message }) => `${path} ${message}`);
}

describe('every revision of the library that ships', () => {
  const revisions = library.policies.flatMap((policy) => policy.revisions.map((revision) => [`${policy.id} ${revision.revision}`, policy, revision] as const));
  it.each(revisions)('%s: at every hook, in both versions, whatever its criteria find', async (_name, policy, revision) => {
    const [service] = revision.services;
    const [code] = service?.codes ?? [];
    const draft = draftOf(service?.system ?? '', code ?? '');
    // Only this revision, whatever the day.
    const alone = { ...library, findFor: () => ({ policy, revision }), namesInSomeStates: () => false };
    for (const version of ['2.0', '2.2'] as const) {
      for (const status of ['met', 'not-met', 'unknown'] as const) {
        for (const hook of HOOKS) {
          const { answer, context } = await playPolicies({ library: alone, drafts: [draft], hook, version, userId: 'Practitioner/u1', status });
          expect(answerFaults(answer, context)).toEqual([]);
          const proposed = answer.cards.flatMap(({ suggestions = [] }) => suggestions.flatMap(({ actions }) => actions.flatMap(({ resource }) => resource ?? [])));
          expect([...proposed, ...answer.systemActions.flatMap(({ resource }) => resource ?? [])].flatMap((resource) => errors(version, resource))).toEqual([]);
        }
      }
    }
  });
});
