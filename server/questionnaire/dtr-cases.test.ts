import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Coverage, DeviceRequest, Location, Parameters, Patient, Questionnaire, QuestionnaireResponse } from '@medplum/fhirtypes';
import express from 'express';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '#store/database.ts';
import { adaptiveDraft, takeNextQuestions } from '#prior-auth/questionnaire/adaptive-response.ts';
import { writeResponse } from '#prior-auth/questionnaire/dtr-versions/write-response.ts';
import { openForm } from '#prior-auth/questionnaire/open-form.ts';
import { prepopulate } from '#prior-auth/questionnaire/prepopulate.ts';
import { createDtrPayer } from '#test-fixtures/dtr-payer.ts';
import { draftResponse } from '#prior-auth/questionnaire/draft-response.ts';
import { askNextQuestion } from './next-question.ts';
import { createQuestionnaireService, type QuestionnaireService } from './questionnaire-service.ts';
import { buildPackageRequest } from './questionnaire-package.ts';
import { readPackageAnswer } from './read-package.ts';
import { withAskedQuestions } from '../store/forms.ts';

const CASES = new URL('../../../shared/cases/dtr/', import.meta.url);
const present = existsSync(CASES);
if (!present) console.log('left out: every file of ../shared/cases/dtr (not there)');
const read = <T = unknown>(name: string): T => JSON.parse(readFileSync(new URL(name, CASES), 'utf8')) as T;

const patient: Patient = { resourceType: 'Patient', id: 'p', name: [{ use: 'official', family: 'Okafor', given: ['Grace'] }], gender: 'female', birthDate: '1951-04-02' };
const order: DeviceRequest = { resourceType: 'DeviceRequest', id: 'o', status: 'active', intent: 'order', subject: { reference: 'Patient/p' }, codeCodeableConcept: { text: 'dinner' } };
const coverage: Coverage = { resourceType: 'Coverage', id: 'c', status: 'active', beneficiary: { reference: 'Patient/p' }, payor: [{ display: 'x' }] };
const location: Location = { resourceType: 'Location', id: 'l', description: 'Ward 3' };
const ehr = { search: async (type: string) => (type === 'Location' ? [location] : []), follow: async () => undefined };
const author = { reference: 'Practitioner/d' };

let store: Store;
let service: QuestionnaireService;
beforeAll(async () => {
  store = await openStore({ dataDir: 'memory' });
  service = await createQuestionnaireService({ store, log: pino({ level: 'silent' }), now: () => Date.now() });
});
afterAll(async () => {
  await service.stop();
  await store.close();
});

function packagesOf(name: string) {
  const answer = readPackageAnswer(read(name));
  if (answer.kind !== 'packages') throw new Error('no package');
  return answer;
}

describe.skipIf(!present)('packages made by others (../shared/cases/dtr; left out when it is not there)', () => {
  const several = 'The payer sent several forms in one package. Each is shown as a form of its own.';
  it.each<[string, readonly string[], number, readonly string[], readonly string[]]>([
    ['questionnaire_package_output_params_conformant.json', ['HomeOxygenTherapyLab', 'home-o2-std-questionnaire'], 2, [several], []],
    ['questionnaire_package_output_params_ri.json', ['HomeOxygenTherapy', 'HomeOxygenTherapyFaceToFace', 'HomeOxygenTherapyLab'], 7, [several], []],
    ['questionnaire_package_output_params_non_conformant.json', ['HomeOxygenTherapy', 'HomeOxygenTherapyFaceToFace', 'HomeOxygenTherapyLab'], 0, [several], ['library-missing']],
    ['dinner_static/questionnaire_dinner_order_static.json', ['DinnerOrderStatic'], 1, [], []],
    ['dinner_adaptive/questionnaire_dinner_order_adaptive.json', ['DinnerOrderAdaptive'], 1, [], []],
  ])('%s', (name, ids, libraries, warnings, faults) => {
    const answer = packagesOf(name);
    expect(answer.packages.map(({ questionnaire }) => questionnaire.id)).toEqual(ids);
    expect(answer.packages[0]?.libraries).toHaveLength(libraries);
    expect(answer.warnings).toEqual(warnings);
    expect([...new Set(answer.packages.flatMap((one) => (one.faults ?? []).map(({ kind }) => kind)).filter((kind) => kind.startsWith('library')))]).toEqual(faults);
  });

  it('the package without its rules says so to staff, and its form can be filled in by hand', () => {
    const [one] = packagesOf('questionnaire_package_output_params_non_conformant.json').packages;
    expect(one?.warnings).toContainEqual(expect.stringContaining('did not send a rule'));
    const form = openForm({ questionnaire: one?.questionnaire as Questionnaire, response: { resourceType: 'QuestionnaireResponse', status: 'in-progress' }, author, today: '2026-11-22', valueSets: one?.valueSets ?? [] });
    expect(form.view().counts.questions).toBeGreaterThan(10);
  });

  it('the static dinner is filled in', async () => {
    const [one] = packagesOf('dinner_static/questionnaire_dinner_order_static.json').packages;
    if (!one) throw new Error('no package');
    const population = await service.populate({ package: one, launch: { patient, order, coverage }, ehr });
    expect(population.values['PBD.1']?.values).toEqual(['Okafor']);
    expect(population.values['PBD.2']?.values).toEqual(['Grace']);
    const expected = read<QuestionnaireResponse>('dinner_static/questionnaire_response_dinner_order_static.json');
    const form = openForm({ questionnaire: one.questionnaire, response: expected, author, today: '2026-11-22' });
    // Its choice of dinner is none of the form's options; the rest is as the form wants it.
    expect(form.gaps()).toEqual([]);
    expect(form.view().problems.map(({ path, code }) => `${path} ${code}`)).toEqual(['3/3.1 not-an-option']);
  });

  it('the adaptive dinner is played to its end', async () => {
    const [one] = packagesOf('dinner_adaptive/questionnaire_dinner_order_adaptive.json').packages;
    if (!one) throw new Error('no package');
    expect(one.adaptive).toEqual({});
    const step = (name: string) => read<Questionnaire>(`dinner_adaptive/dinner_order_adaptive_next_question_${name}.json`);
    const payer = createDtrPayer(() => base);
    const app = express();
    app.use(payer.router);
    const http = createServer(app);
    await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
    const base = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    payer.answers.next = (answers) => {
      const dinner = answers.get('3.1')?.answer?.[0]?.valueCoding?.code;
      if (dinner === undefined) return step('initial');
      return [...answers.keys()].some((linkId) => linkId.startsWith('3.3') || linkId.startsWith('3.2')) ? undefined : step(dinner === 'Hamburger' ? 'hamburger' : 'burrito');
    };
    const access = { payerId: 'p', base, dtr: { version: '2.0.1' } as const, fetch: (url: string, init: RequestInit) => fetch(url, { ...init, headers: { ...(init.headers as Record<string, string>), authorization: 'Bearer payer-token' } }) };
    let response = adaptiveDraft(draftResponse({ questionnaire: one.questionnaire, patient: 'Patient/p', coverage: 'Coverage/c', order: 'DeviceRequest/o', purposes: [], author, authored: '2026-11-22T10:00:00Z' }), one.questionnaire);
    const asked: string[][] = [];
    for (let round = 0; round < 5 && response.status !== 'completed'; round += 1) {
      payer.answers.wrapped = round % 2 === 1;
      const answer = await askNextQuestion(access, one.adaptive?.base, response);
      if (answer.kind !== 'response') throw new Error(JSON.stringify(answer.problems));
      const next = takeNextQuestions(response, answer.response);
      if (next.kind === 'unreadable') throw new Error(next.why);
      asked.push([...next.added]);
      const form = withAskedQuestions(one, next.response);
      const population = await service.populate({ package: form, launch: { patient, order, coverage }, ehr });
      const merged = prepopulate({ questionnaire: form.questionnaire, draft: next.response, values: Object.fromEntries(Object.entries(population.values).filter(([linkId]) => next.added.has(linkId))), author, today: '2026-11-22', valueSets: form.valueSets });
      const open = openForm({ questionnaire: form.questionnaire, response: merged.response, author, today: '2026-11-22' });
      for (const item of open.items()) {
        if (item.type === 'group' || item.type === 'display' || item.answers.length > 0) continue;
        open.setAnswer(item.path, 0, item.options[0]?.value ?? { valueString: 'Ward 3' });
      }
      response = next.kind === 'completed' ? next.response : { ...open.response(), status: 'in-progress' };
    }
    http.close();
    expect(response.status).toBe('completed');
    expect(asked[0]).toEqual(expect.arrayContaining(['PBD.1', '3.1']));
    expect(asked[1]).toEqual(expect.arrayContaining(['3.3']));
    expect(asked.at(-1)).toEqual([]);
    const origins = JSON.stringify(response);
    for (const code of ['"auto"', '"manual"']) expect(origins).toContain(`"valueCode":${code}`);
  }, 30_000);
});

describe.skipIf(!present)('requests made by others', () => {
  const inputs = present ? readdirSync(CASES).filter((name) => /input_params/.test(name)) : [];
  const namesIn = (name: string) => (read<Parameters>(name).parameter ?? []).map((part) => part.name);

  it.each(inputs.filter((name) => name.startsWith('questionnaire_package')))('%s: ours has every part of it that belongs there', (name) => {
    const ours = buildPackageRequest({ coverage, order, referenced: [patient], questionnaires: ['http://q|1'], context: 'a', changedSince: '2026-11-22T10:00:00Z' }).parameter?.map((part) => part.name) ?? [];
    expect(ours).toEqual(expect.arrayContaining(namesIn(name)));
  });
  it.each(inputs.filter((name) => name.startsWith('next_question')))('%s: ours has its shape, and an origin on every answer', (name) => {
    expect(namesIn(name)).toEqual(['questionnaire-response']);
    const response = read<Parameters>(name).parameter?.[0]?.resource as QuestionnaireResponse;
    expect(response.questionnaire).toBe(`#${response.contained?.[0]?.id}`);
    expect(writeResponse('2.0.1', response).contained).toEqual(response.contained);
    const form = openForm({ questionnaire: response.contained?.[0] as Questionnaire, response, author, today: '2026-11-22' });
    const written = JSON.stringify(form.response().item ?? []);
    expect(written.match(/information-origin/g)?.length ?? 0).toBeGreaterThanOrEqual(written.match(/"answer":\[\{/g)?.length ?? 0);
  });
  it('an answer that is missing is found before the payer is asked', () => {
    const response = read<Parameters>('next_question_input_params_missing_answer.json').parameter?.[0]?.resource as QuestionnaireResponse;
    expect(openForm({ questionnaire: response.contained?.[0] as Questionnaire, response, author, today: '2026-11-22' }).complete().kind).toBe('incomplete');
  });
});
