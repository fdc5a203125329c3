import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { readInformationRequests } from './read-information-requests.ts';

const PAS = 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition';
const items = [{ sequence: 1, traceNumber: 'T-1' }, { sequence: 2, traceNumber: 'T-2' }];
const temp = (code: string) => ({ coding: [{ system: 'http://hl7.org/fhir/us/davinci-pas/CodeSystem/PASTempCodes', code }] });
const loinc = (code: string) => ({ coding: [{ system: 'http://loinc.org', code }] });
const line = (number: number, where: 'serviceLineNumber' | 'paLineNumber' = 'serviceLineNumber') => [{ url: `${PAS}/extension-${where}`, ...(where === 'paLineNumber' ? { valueInteger: number } : { valuePositiveInt: number }) }];
const message = (payload: object, more: object = {}) => ({ resourceType: 'CommunicationRequest', status: 'active', category: [{ coding: [{ system: 'https://codesystem.x12.org/005010/755', code: '15' }] }], payload: [payload], ...more });
const task = (input: readonly object[], more: object = {}) => ({ resourceType: 'Task', status: 'requested', intent: 'order', identifier: [{ value: 'A-9' }], input: [{ type: temp('payer-url'), valueUrl: 'https://payer.example/attach' }, ...input], ...more });
const read = (...resources: readonly object[]) => readInformationRequests(resources as readonly Resource[], items);

describe('what the payer wants', () => {
  it.each<[string, readonly object[], object]>([
    ['2.0.1: words for a line', [message({ extension: line(2), contentString: 'Send the sleep study.' })], { sequence: 2, wants: { kind: 'attachment', codes: [{ code: '15' }] }, text: 'Send the sleep study.' }],
    ['2.2.1: a LOINC code for a line', [message({ contentString: '18776-5' }, { extension: line(1), identifier: [{ value: 'ACN-1' }] })], { id: 'ACN-1#1#18776-5', sequence: 1, wants: { kind: 'attachment', codes: [{ system: 'http://loinc.org', code: '18776-5' }] } }],
    ['2.2.1: the payer’s own form, by the line’s trace number', [message({ contentString: '102089-0' }, { extension: line(2) })], { sequence: 2, wants: { kind: 'questionnaire', context: 'T-2' } }],
    ['a line that was not asked for', [message({ contentString: 'x' }, { extension: line(9) })], { sequence: null }],
    ['no payload', [{ resourceType: 'CommunicationRequest', status: 'active' }], { sequence: null, wants: { kind: 'attachment', codes: [] } }],
    ['2.0.1: a Task for documents', [task([{ type: temp('attachments-needed'), extension: line(1, 'paLineNumber'), valueCodeableConcept: loinc('26443-2') }], { restriction: { period: { end: '2026-12-01T00:00:00Z' } } })], { sequence: 1, wants: { kind: 'attachment', codes: [{ code: '26443-2' }] }, payerUrl: 'https://payer.example/attach', due: '2026-12-01' }],
    ['2.0.1: a Task for a form', [task([{ type: temp('questionnaires-needed'), valueIdentifier: { value: 'Q-CTX' } }])], { wants: { kind: 'questionnaire', context: 'Q-CTX' } }],
    ['2.2.1: a Task for a form', [task([{ type: temp('questionnaire-context'), extension: line(2), valueString: 'T-2' }])], { sequence: 2, wants: { kind: 'questionnaire', context: 'T-2' } }],
    ['a Task with the words of its message', [task([{ type: temp('attachments-needed'), extension: line(1), valueCodeableConcept: loinc('28570-0') }]), message({ extension: line(1), contentString: 'The operation note.' })], { id: 'A-9#1#28570-0', text: 'The operation note.' }],
    ['a Task and a message with one number', [task([{ type: temp('attachments-needed'), extension: line(1), valueCodeableConcept: loinc('28570-0') }]), message({ contentString: '28570-0' }, { identifier: [{ value: 'A-9' }], extension: line(1) })], { id: 'A-9#1#28570-0' }],
  ])('%s', (_name, resources, expected) => {
    const found = read(...resources);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ state: 'open', ...expected });
  });

  it.each<[string, readonly object[]]>([
    ['a message that is over', [{ ...message({ contentString: 'x' }), status: 'completed' }]],
    ['a Task that is done', [task([{ type: temp('attachments-needed'), valueCodeableConcept: loinc('28570-0') }], { status: 'completed' })]],
    ['a Task of inputs nobody knows', [task([{ type: temp('other') }, { type: { text: 'attachments-needed' } }])]],
    ['other resources', [{ resourceType: 'Patient' }]],
  ])('nothing: %s', (_name, resources) => expect(read(...resources)).toEqual([]));

  it('keeps several asks of one number apart, and says the same id each time', () => {
    const asked = task([{ type: temp('attachments-needed'), valueCodeableConcept: loinc('28570-0') }, { type: temp('attachments-needed'), valueCodeableConcept: loinc('18776-5') }]);
    expect(read(asked).map(({ id }) => id)).toEqual(['A-9#all#28570-0', 'A-9#all#18776-5']);
    expect(read(asked)).toEqual(read(structuredClone(asked)));
    expect(read(message({ contentString: 'a' }), message({ contentString: 'b' }))).toHaveLength(2);
  });
  it('bears with what is no list, no code and no type', () => {
    expect(() => read({ resourceType: 'Task', status: 'requested', input: { type: 7 } }, { resourceType: 'CommunicationRequest', status: 'active', payload: 'x', category: {}, identifier: 4 }, task([{ type: {} }]))).not.toThrow();
  });
});

const packages = ['2.0.1', '2.2.1'].map((version) => [version, `../shared/igs/pas-${version}.tgz`] as const).filter(([, file]) => existsSync(file));
if (packages.length < 2) console.warn("left out: the packages' own Tasks and CommunicationRequests, ../shared/igs is not there");
describe.skipIf(packages.length < 2)("the packages' own examples", () => {
  it.each(packages)('%s', (_version, file) => {
    const example = (name: string) => JSON.parse(execFileSync('tar', ['xzOf', file, `package/example/${name}.json`], { encoding: 'utf8' })) as object;
    const found = read(example('Task-AdditionalInformationTaskExample'), example('CommunicationRequest-CommunicationRequestExample'));
    expect(found[0]).toMatchObject({ sequence: 1, wants: { kind: 'attachment' }, payerUrl: 'http://example.org/payerURL' });
  });
});
