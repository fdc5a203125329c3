import type { Condition, ServiceRequest } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { readRequestedService } from '../order/read-requested-service.ts';
import type { DiagnosisMap } from './diagnosis-map.ts';
import { findDiagnoses } from './diagnoses.ts';

const map: DiagnosisMap = { candidates: (code) => ({ '13645005': [{ code: 'J44.9' }], '239873007': [{ code: 'M17.11' }, { code: 'M17.12' }] })[code]?.map((each) => each) ?? [] };
const snomed = (code: string, display?: string) => ({ coding: [{ system: CODE_SYSTEMS.snomed, code, ...(display ? { display } : {}) }] });
const condition = (id: string, code: Condition['code'], changes: Partial<Condition> = {}): Condition => ({ resourceType: 'Condition', id, subject: { reference: 'Patient/p' }, ...(code ? { code } : {}), ...changes });
const record = [
  condition('copd', snomed('13645005', 'COPD'), { recordedDate: '2024-03-01' }),
  condition('knee', snomed('239873007', 'Osteoarthritis of knee')),
  condition('rare', snomed('999999', 'Something rare')),
  condition('coded', { coding: [{ system: CODE_SYSTEMS.snomed, code: '13645005' }, { system: CODE_SYSTEMS.icd10cm, code: 'J441' }] }),
  condition('words', { text: 'short of breath' }),
  condition('refuted', snomed('13645005'), { verificationStatus: { coding: [{ code: 'refuted' }] } }),
];
const order = (changes: Partial<ServiceRequest>): ServiceRequest => ({ resourceType: 'ServiceRequest', id: 'o', status: 'active', intent: 'order', subject: { reference: 'Patient/p' }, ...changes });
const of = (...ids: string[]) => order({ reasonReference: ids.map((id) => ({ reference: `Condition/${id}` })) });
const find = (asked: ServiceRequest, diagnosisChoices: Record<string, string> = {}, evidence: string[] = []) =>
  findDiagnoses({ service: readRequestedService(asked), order: asked }, { supporting: record, evidence: evidence.map((reference) => ({ reference, display: '' })), diagnosisChoices }, map);

describe('the reasons of an order in ICD-10-CM', () => {
  it.each([
    ['one meaning is used', of('copd'), {}, [{ code: 'J44.9', recordedDate: '2024-03-01' }], []],
    ['the record’s own code is before the map', of('coded'), {}, [{ code: 'J44.1' }], []],
    ['what a person chose', of('knee'), { 'Condition/knee': 'm1712' }, [{ code: 'M17.12' }], []],
    ['a code in the order itself', order({ reasonCode: [snomed('13645005')] }), {}, [{ code: 'J44.9' }], []],
    ['a choice for a code in the order itself', order({ reasonCode: [snomed('999999')] }), { [`${CODE_SYSTEMS.snomed}|999999`]: 'Q99.9' }, [{ code: 'Q99.9' }], []],
    ['one is enough, the other is named', of('copd', 'knee'), {}, [{ code: 'J44.9' }], ['Osteoarthritis of knee']],
    ['one reason said twice', of('copd', 'copd'), {}, [{ code: 'J44.9' }], []],
    ['refuted is no reason', of('refuted'), {}, [], []],
    ['no reason at all', order({}), {}, [], []],
  ] as const)('%s', (_name, asked, choices, diagnoses, unmapped) => {
    expect(find(asked, choices)).toMatchObject({ kind: 'found', diagnoses, unmapped });
  });

  it.each([
    ['several meanings', of('knee'), {}, [{ reason: 'Condition/knee', display: 'Osteoarthritis of knee', candidates: [{ code: 'M17.11' }, { code: 'M17.12' }] }]],
    ['no meaning known', of('rare'), {}, [{ reason: 'Condition/rare', display: 'Something rare', candidates: [] }]],
    ['words alone', of('words'), {}, [{ reason: 'Condition/words', display: 'short of breath', candidates: [] }]],
    ['a condition that could not be read', of('gone'), {}, [{ reason: 'Condition/gone', candidates: [] }]],
    ['a choice that is no ICD-10-CM code', of('rare'), { 'Condition/rare': '13645005' }, [{ reason: 'Condition/rare' }]],
    ['a choice for another reason', of('rare'), { 'Condition/knee': 'M17.11' }, [{ reason: 'Condition/rare' }]],
    ['two reasons', of('knee', 'rare'), {}, [{ reason: 'Condition/knee' }, { reason: 'Condition/rare' }]],
  ] as const)('%s is asked of the person, never guessed', (_name, asked, choices, questions) => {
    expect(find(asked, choices)).toMatchObject({ kind: 'problem', problems: questions.map((diagnosis) => ({ code: 'DIAGNOSIS_NOT_ICD10CM', diagnosis })) });
  });

  it('conditions that answers were taken from stand in for a reason that cannot be sent', () => {
    expect(find(of('rare'), {}, ['Condition/copd'])).toMatchObject({ kind: 'found', diagnoses: [{ code: 'J44.9' }], unmapped: ['Something rare'] });
  });
});
