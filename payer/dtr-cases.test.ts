import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bundle, OperationOutcome, Parameters, Questionnaire, QuestionnaireItem, QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import express from 'express';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFormFolder } from '#test-fixtures/form-folder.ts';
import { questionnairePackageRouter } from './questionnaire-package/questionnaire-package-router.ts';

const CASES = new URL('../../shared/cases/dtr/', import.meta.url);
const present = existsSync(CASES);
if (!present) console.log('left out: what a payer receives of ../shared/cases/dtr (not there)');
const read = <T = unknown>(name: string): T => JSON.parse(readFileSync(new URL(name, CASES), 'utf8')) as T;

/** The dinner form as a payer would hold it: its steps cut out of the states that the kit shows. */
function dinner(): { form: Questionnaire; steps: object } {
  const form = read<Bundle>('dinner_adaptive/questionnaire_dinner_order_adaptive.json').entry?.[0]?.resource as Questionnaire;
  const itemsOf = (name: string) => read<Questionnaire>(`dinner_adaptive/dinner_order_adaptive_next_question_${name}.json`).item ?? [];
  const added = (name: string): QuestionnaireItem[] => itemsOf(name).find(({ linkId }) => linkId === '3')?.item?.slice(1) ?? [];
  return {
    form,
    steps: {
      questionnaire: form.url, start: 'order',
      steps: [
        { id: 'order', items: itemsOf('initial'), next: [{ when: "%`3.1`.code = 'Hamburger'", to: 'hamburger' }, { to: 'burrito' }] },
        { id: 'hamburger', into: '3', items: added('hamburger'), next: [{ determine: 'served' }] },
        { id: 'burrito', into: '3', items: added('burrito'), next: [{ determine: 'served' }] },
      ],
      determinations: { served: null },
    },
  };
}

describe.skipIf(!present)('what a payer receives, made by others (../shared/cases/dtr; left out when it is not there)', () => {
  let server: Server;
  let origin: string;
  let folder: ReturnType<typeof writeFormFolder> | undefined;

  beforeAll(async () => {
    const { form, steps } = dinner();
    folder = writeFormFolder({ forms: [form], adaptive: [steps] });
    const app = express();
    app.use(questionnairePackageRouter({ baseUrl: 'http://payer.test', policyFolder: new URL('../policies/library', import.meta.url).pathname, formFolder: folder.folder, log: pino({ level: 'silent' }), now: () => Date.now(), authorise: (_req, _res, next) => next() }));
    server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/payer/fhir`;
  });
  afterAll(() => {
    server.close();
    folder?.remove();
  });
  const post = async <T>(operation: string, body: unknown) => {
    const reply = await fetch(`${origin}/Questionnaire/${operation}`, { method: 'POST', headers: { 'content-type': 'application/fhir+json' }, body: JSON.stringify(body) });
    return { status: reply.status, body: (await reply.json()) as T };
  };

  it.each<[string, string, number, RegExp]>([
    ['$questionnaire-package', 'questionnaire_package_input_params_conformant.json', 200, /"resourceType":"Parameters"/],
    ['$questionnaire-package', 'questionnaire_package_input_params_ri.json', 200, /"resourceType":"Parameters"/],
    ['$questionnaire-package', 'questionnaire_package_input_params_non_conformant.json', 400, /Send a Parameters resource/],
    ['$questionnaire-package', 'questionnaire_package_output_params_conformant.json', 400, /coverage|Parameters/],
    ['$next-question', 'next_question_initial_input_params_conformant.json', 200, /What would you like for dinner/],
    ['$next-question', 'next_question_input_params_missing_answer.json', 400, /What would you like for dinner.*must be answered/],
    ['$next-question', 'next_question_input_params_no_origin_extension.json', 400, /unchanged/],
  ])('%s %s: %i', async (operation, file, status, words) => {
    const reply = await post(operation, read(file));
    expect([reply.status, JSON.stringify(reply.body)]).toEqual([status, expect.stringMatching(words)]);
  });

  it('next_question_input_params_no_origin_extension.json with the questions as they were sent: what lacks is named', async () => {
    const sent = read<Parameters>('next_question_input_params_no_origin_extension.json').parameter?.[0]?.resource as QuestionnaireResponse;
    const contained = [{ ...(sent.contained?.[0] as Questionnaire), item: read<Questionnaire>('dinner_adaptive/dinner_order_adaptive_next_question_burrito.json').item ?? [] }];
    const reply = await post<OperationOutcome>('$next-question', { ...sent, contained });
    expect([reply.status, JSON.stringify(reply.body)]).toEqual([400, expect.stringContaining('without information-origin')]);
  });

  it.each(['Hamburger', 'Bean Burrito'])('the dinner, played to its end: %s', async (choice) => {
    const first = (await post<QuestionnaireResponse>('$next-question', read('next_question_initial_input_params_conformant.json'))).body;
    const given = read<Parameters>('next_question_input_params_missing_answer.json').parameter?.[0]?.resource as QuestionnaireResponse;
    const origin = [{ url: 'http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/information-origin', extension: [{ url: 'source', valueCode: 'manual' }, { url: 'author', extension: [{ url: 'practitioner', valueReference: { reference: 'Practitioner/d' } }] }] }];
    const asked: QuestionnaireResponseItem = { linkId: '3', item: [{ linkId: '3.1', answer: [{ extension: origin, valueCoding: { code: choice } }] }] };
    const second = (await post<QuestionnaireResponse>('$next-question', { ...first, item: [...(given.item ?? []), asked] })).body;
    const state = choice === 'Hamburger' ? 'hamburger' : 'burrito';
    const form = second.contained?.[0] as Questionnaire;
    expect(form.item).toEqual(read<Questionnaire>(`dinner_adaptive/dinner_order_adaptive_next_question_${state}.json`).item);
    expect(form.derivedFrom).toEqual(['urn:inferno:dtr-test-kit:dinner-order-adaptive']);
    const last = (await post<QuestionnaireResponse>('$next-question', second)).body;
    expect(last.status).toBe('completed');
    expect(last.extension).toBeUndefined();
    const after = await post<OperationOutcome>('$next-question', last);
    expect([after.status, after.body.issue?.[0]?.details?.text]).toEqual([400, expect.stringContaining('answered already')]);
  });

  it('a static response is no adaptive one', async () => {
    const reply = await post<OperationOutcome>('$next-question', read('dinner_static/questionnaire_response_dinner_order_static.json'));
    expect([reply.status, reply.body.resourceType]).toEqual([400, 'OperationOutcome']);
  });
});
