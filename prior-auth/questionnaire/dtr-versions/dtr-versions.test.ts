import type { QuestionnaireResponse, QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import type { DtrVersion } from '../../coverage-requirement/payer.ts';
import { openForm } from '../open-form.ts';
import { answerReferences, writeResponseBundle } from './response-bundle.ts';
import { readPayerResponse } from './read-payer-response.ts';
import { writeResponse } from './write-response.ts';

const DTR = 'http://hl7.org/fhir/us/davinci-dtr/StructureDefinition';
const from = (code?: string): QuestionnaireResponseItemAnswer => ({
  valueString: code ?? 'none',
  ...(code ? { extension: [{ url: `${DTR}/information-origin`, extension: [{ url: 'source', valueCode: code }, ...(code === 'manual' || code === 'override' ? [{ url: 'author', extension: [{ url: 'practitioner', valueReference: { reference: 'Practitioner/1' } }] }] : [])] }] } : {}),
});
const response = (more: Partial<QuestionnaireResponse> = {}): QuestionnaireResponse => ({
  resourceType: 'QuestionnaireResponse', status: 'in-progress', questionnaire: 'http://q|1', subject: { reference: 'Patient/p' },
  extension: [
    { url: `${DTR}/qr-context`, valueReference: { reference: 'Coverage/c' } },
    { url: `${DTR}/qr-context`, valueReference: { reference: 'DeviceRequest/o' } },
    { url: 'http://elsewhere/extension', valueString: 'kept' },
    { url: `${DTR}/intendedUse`, valueCodeableConcept: { coding: [{ system: 'http://hl7.org/fhir/us/davinci-crd/CodeSystem/temp', code: 'withpa' }] } },
  ],
  item: [{ linkId: 'g', item: ['auto', 'override', 'manual', 'auto-server'].map((code) => ({ linkId: code, answer: [from(code)] })) }],
  ...more,
});
const references = (one: QuestionnaireResponse, name: string) => (one.extension ?? []).filter(({ url }) => url === `${DTR}/${name}`).map(({ valueReference }) => valueReference?.reference);
const codes = (one: QuestionnaireResponse) => (one.item?.[0]?.item ?? []).map(({ answer }) => answer?.[0]?.extension?.[0]?.extension?.[0]?.valueCode);

describe('what differs between the versions, as written', () => {
  it.each<[string, (one: QuestionnaireResponse) => unknown, unknown, unknown]>([
    ['origin codes', codes, ['auto', 'override', 'manual', 'auto'], ['auto-client', 'override', 'manual', 'auto-server']],
    ['coverage among the qr-context', (one) => references(one, 'qr-context'), ['Coverage/c', 'DeviceRequest/o'], ['DeviceRequest/o']],
    ['qr-coverage', (one) => references(one, 'qr-coverage'), [], ['Coverage/c']],
    ['profile', (one) => one.meta?.profile, [`${DTR}/dtr-questionnaireresponse`], [`${DTR}/dtr-questionnaireresponse`]],
    ['profile of an adaptive response', (one) => writeResponseOfSameVersion(one, { questionnaire: '#f' }).meta?.profile, [`${DTR}/dtr-questionnaireresponse`, 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaireresponse-adapt'], [`${DTR}/dtr-questionnaireresponse-adapt`]],
    ['authors', (one) => JSON.stringify(one.item).match(/Practitioner\/1/g)?.length, 2, 2],
    ['other extensions, intendedUse', (one) => (one.extension ?? []).filter(({ url }) => url === 'http://elsewhere/extension' || url?.endsWith('intendedUse')).length, 2, 2],
  ])('%s', (_what, read, in201, in22) => {
    expect(read(writeResponse('2.0.1', response()))).toEqual(in201);
    expect(read(writeResponse('2.2', response()))).toEqual(in22);
  });

  it.each<[DtrVersion]>([['2.0.1'], ['2.2']])('what is written in %s reads back as it was', (version) => {
    const back = readPayerResponse(writeResponse(version, response({ item: [{ linkId: 'g', item: [{ linkId: 'manual', answer: [from('manual')] }] }] })));
    expect(references(back, 'qr-context')).toEqual(['Coverage/c', 'DeviceRequest/o']);
    expect(references(back, 'qr-coverage')).toEqual([]);
    expect(codes(back)).toEqual(['manual']);
  });
  it('writing twice changes nothing', () => {
    for (const version of ['2.0.1', '2.2'] as const) expect(writeResponse(version, writeResponse(version, response()))).toEqual(writeResponse(version, response()));
  });
});

/** The same writer as the given response went through. */
function writeResponseOfSameVersion(written: QuestionnaireResponse, more: Partial<QuestionnaireResponse>): QuestionnaireResponse {
  return writeResponse(references(written, 'qr-coverage').length > 0 ? '2.2' : '2.0.1', response(more));
}

describe('a payer’s draft', () => {
  it('an answer without an origin is the payer’s', () => {
    const read = readPayerResponse(response({ item: [{ linkId: 'g', item: [{ linkId: 'a', answer: [{ ...from(), item: [{ linkId: 'b', answer: [from()] }] }] }] }] }));
    expect(JSON.stringify(read).match(/auto-server/g)).toHaveLength(2);
    expect(JSON.stringify(writeResponse('2.0.1', read)).match(/"auto"/g)).toHaveLength(2);
  });
  it.each(['auto-client', 'auto-server', 'auto'])('the engine takes %s as given by no person', (code) => {
    const form = openForm({ questionnaire: { resourceType: 'Questionnaire', status: 'active', item: [{ linkId: 'a', type: 'string' }] }, response: response({ item: [{ linkId: 'a', answer: [from(code)] }] }), author: { reference: 'Practitioner/1' }, today: '2026-11-22' });
    expect(form.items()[0]?.answers[0]?.origin).toBe('auto');
  });
});

describe('DTR-QRBundle', () => {
  const withReferences = response({ id: 'r', item: [{ linkId: 'a', answer: [{ valueReference: { reference: 'Observation/1' }, item: [{ linkId: 'b', answer: [{ valueReference: { reference: 'https://ehr/fhir/Condition/2' } }] }] }, { valueReference: { reference: '#inside' } }, { valueReference: { reference: 'Observation/1' } }] }] });
  it('names what answers refer to, once, and nothing that the response contains', () => expect(answerReferences(withReferences)).toEqual(['Observation/1', 'Condition/2']));
  it('has the response first', () => {
    const bundle = writeResponseBundle(withReferences, [{ resourceType: 'Observation', id: '1', status: 'final', code: {} }], 'https://ehr/fhir');
    expect(bundle).toMatchObject({ type: 'collection', meta: { profile: [`${DTR}/DTR-QRBundle`] }, entry: [{ fullUrl: 'https://ehr/fhir/QuestionnaireResponse/r' }, { fullUrl: 'https://ehr/fhir/Observation/1' }] });
  });
});
