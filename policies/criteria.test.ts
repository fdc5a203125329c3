import type { Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { readChart } from '#prior-auth/coverage-requirement/evidence.ts';
import { expression, holdCriteria } from '#prior-auth/coverage-requirement/hold-criteria.ts';
import { loadPolicies } from './load-policies.ts';

const TODAY = '2026-11-22';
const library = loadPolicies();
const criteriaOf = (policyId: string) => library.policies.find((policy) => policy.id === policyId)?.revisions.at(-1)?.criteria ?? [];

const observation = (code: string, value: number, unit: string, more: object = {}) => ({ resourceType: 'Observation', id: `o-${code}`, status: 'final', code: { coding: [{ code }] }, effectiveDateTime: '2026-11-12T08:00:00Z', valueQuantity: { value, unit, code: unit }, ...more }) as Resource;
const condition = (code: string, more: object = {}) => ({ resourceType: 'Condition', id: `c-${code}`, subject: {}, code: { coding: [{ code }] }, recordedDate: '2024-01-01', ...more }) as Resource;
const medicine = (text: string) => ({ resourceType: 'MedicationRequest', id: text, status: 'stopped', intent: 'order', subject: {}, medicationCodeableConcept: { text } }) as Resource;
const echo = (conclusion: string) => ({ resourceType: 'DiagnosticReport', id: 'echo', status: 'final', code: { text: 'Transthoracic echocardiogram' }, conclusion }) as Resource;

describe('criteria held against a record', () => {
  it.each<[string, string, readonly Resource[], Record<string, string>]>([
    ['oxygen that qualifies', 'home-oxygen', [observation('59408-5', 86, '%'), condition('J44.9')], { 'qualifying-saturation': 'met', 'recent-test': 'met', 'chronic-condition': 'met' }],
    ['exactly at the level', 'home-oxygen', [observation('59408-5', 88, '%')], { 'qualifying-saturation': 'met' }],
    ['just above the level', 'home-oxygen', [observation('59408-5', 89, '%')], { 'qualifying-saturation': 'not-met' }],
    ['arterial oxygen in mmHg', 'home-oxygen', [observation('2703-7', 55, 'mm[Hg]')], { 'qualifying-saturation': 'met' }],
    ['arterial oxygen in another unit never qualifies by its number', 'home-oxygen', [observation('2703-7', 10, 'kPa')], { 'qualifying-saturation': 'not-met' }],
    ['an old test', 'home-oxygen', [observation('59408-5', 86, '%', { effectiveDateTime: '2026-01-01' })], { 'recent-test': 'not-met' }],
    ['30 days are recent', 'home-oxygen', [observation('59408-5', 86, '%', { effectiveDateTime: '2026-10-23T23:00:00-08:00' })], { 'recent-test': 'met' }],
    ['31 days are not', 'home-oxygen', [observation('59408-5', 86, '%', { effectiveDateTime: '2026-10-22' })], { 'recent-test': 'not-met' }],
    ['entered in error says nothing', 'home-oxygen', [observation('59408-5', 86, '%', { status: 'entered-in-error' })], { 'qualifying-saturation': 'unknown' }],
    ['a refuted condition says nothing', 'home-oxygen', [condition('J44.9', { verificationStatus: { coding: [{ code: 'refuted' }] } })], { 'chronic-condition': 'unknown' }],
    ['a value of another type is unknown, not a fault', 'home-oxygen', [observation('59408-5', 0, '%', { valueQuantity: { value: 'low', unit: '%' } })], { 'qualifying-saturation': 'unknown' }],
    ['an empty chart', 'home-oxygen', [], { 'qualifying-saturation': 'unknown', 'recent-test': 'unknown', 'chronic-condition': 'unknown' }],
    ['ICD-10 without its dot', 'home-oxygen', [condition('J449')], { 'chronic-condition': 'met' }],
    ['sleep apnea', 'pap-device', [observation('69990-0', 22, '{events}/h'), condition('G47.33')], { 'osa-diagnosis': 'met', 'apnea-index': 'met', 'sleep-test': 'met' }],
    ['an index that needs symptoms', 'pap-device', [observation('69990-0', 9, '{events}/h')], { 'apnea-index': 'unknown' }],
    ['an index too low', 'pap-device', [observation('69990-0', 3, '{events}/h')], { 'apnea-index': 'not-met' }],
    ['angina and abnormal ECG', 'nuclear-stress-test', [condition('I20.89'), condition('R94.31')], { indication: 'met', 'exercise-ecg-not-enough': 'met' }],
    ['no echocardiogram on record', 'cardiac-mri', [condition('R07.9')], { 'prior-echo': 'unknown', 'echo-inconclusive': 'unknown' }],
    ['an inconclusive echocardiogram', 'cardiac-mri', [echo('Inconclusive: poor acoustic windows')], { 'prior-echo': 'met', 'echo-inconclusive': 'met' }],
    ['an echocardiogram that says more', 'cardiac-mri', [echo('Normal')], { 'prior-echo': 'met', 'echo-inconclusive': 'unknown' }],
    ['two preventives', 'botulinum-toxin', [condition('G43.709'), medicine('Topiramate 50 mg'), medicine('Propranolol 80 mg')], { 'chronic-migraine': 'met', 'preventives-tried': 'met' }],
    ['one preventive may not be all', 'botulinum-toxin', [medicine('Topiramate 50 mg')], { 'preventives-tried': 'unknown' }],
  ])('%s', (_name, policyId, chart, wanted) => {
    const found = Object.fromEntries(holdCriteria(criteriaOf(policyId), { chart: readChart(chart), others: [], today: TODAY }).map((finding) => [finding.criterionId, finding.status]));
    expect(found).toMatchObject(wanted);
  });
  it('names the newest evidence first, and leaves the record as it was', () => {
    const chart = [observation('59408-5', 90, '%', { id: 'old', effectiveDateTime: '2026-11-01' }), observation('59408-5', 86, '%', { id: 'new', effectiveDateTime: '2026-11-20' })];
    const before = JSON.stringify(chart);
    const [finding] = holdCriteria(criteriaOf('home-oxygen'), { chart: readChart(chart), others: [], today: TODAY });
    expect(finding?.evidence.map((each) => each.reference)).toEqual(['Observation/new', 'Observation/old']);
    expect(JSON.stringify(chart)).toBe(before);
  });
});

const days = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
const submission = (answers: Record<string, object>) => ({ resourceType: 'Bundle', entry: [{ resource: { resourceType: 'QuestionnaireResponse', status: 'completed', item: [{ linkId: 'group', item: Object.entries(answers).map(([linkId, answer]) => ({ linkId, answer: [answer] })) }] } }] });
const percent = (value: number) => ({ valueQuantity: { value, unit: '%', code: '%' } });
const yes = { valueBoolean: true };
const no = { valueBoolean: false };

describe('criteria held against a submission', () => {
  it.each<[string, string, Record<string, object>, Record<string, readonly boolean[]>]>([
    ['oxygen-approved', 'home-oxygen', { 'resting-saturation': percent(86), 'test-date': { valueDate: days(10) }, 'chronic-condition': yes }, { 'qualifying-saturation': [true], 'recent-test': [true], 'chronic-condition': [true] }],
    ['oxygen too high', 'home-oxygen', { 'resting-saturation': percent(95), 'chronic-condition': { valueCoding: { code: 'none' } } }, { 'qualifying-saturation': [false], 'recent-test': [], 'chronic-condition': [false] }],
    ['arterial oxygen alone', 'home-oxygen', { 'arterial-oxygen': { valueQuantity: { value: 52, code: 'mm[Hg]' } } }, { 'qualifying-saturation': [true] }],
    ['mri-denied', 'cardiac-mri', { 'prior-echo': no, 'clinical-question': { valueString: 'Scar?' } }, { 'prior-echo': [false], 'echo-inconclusive': [false], 'clinical-question': [true] }],
    ['wheelchair-pended', 'power-mobility', { 'mobility-limitation': yes, 'face-to-face-date': { valueDate: days(30) }, 'home-assessment': yes, 'cannot-use-lesser-device': yes }, { 'mobility-limitation': [true], 'face-to-face': [true], 'home-assessment': [true], 'lesser-device': [true] }],
    ['pap-modified', 'pap-device', { ahi: { valueDecimal: 22 }, 'osa-diagnosis': yes, 'sleep-test-date': { valueDate: days(20) }, 'rental-months': { valueInteger: 13 } }, { 'osa-diagnosis': [true], 'apnea-index': [true], 'sleep-test': [true] }],
    ['stress-approved', 'nuclear-stress-test', { indication: { valueCoding: { code: 'angina' } }, 'abnormal-resting-ecg': yes }, { indication: [true], 'exercise-ecg-not-enough': [true] }],
    ['a stress test for nothing', 'nuclear-stress-test', { indication: { valueCoding: { code: 'screening' } }, 'abnormal-resting-ecg': no, 'unable-to-exercise': no }, { indication: [false], 'exercise-ecg-not-enough': [false] }],
    ['botulinum-approved', 'botulinum-toxin', { 'chronic-migraine': yes, 'headache-days-per-month': { valueInteger: 18 }, 'preventives-tried': { valueInteger: 3 }, units: { valueInteger: 155 } }, { 'chronic-migraine': [true], 'headache-days': [true], 'preventives-tried': [true], dose: [true] }],
  ])('%s', (_name, policyId, answers, wanted) => {
    const found = Object.fromEntries(criteriaOf(policyId).map((criterion) => [criterion.id, expression(criterion.submission ?? '{}')(submission(answers), {})]));
    expect(found).toMatchObject(wanted);
  });
  it.each(library.policies.map((policy) => [policy.id]))('%s: no answers decide nothing', (policyId) => {
    for (const criterion of criteriaOf(policyId)) expect(expression(criterion.submission ?? '{}')(submission({}), {})).toEqual([]);
  });
});
