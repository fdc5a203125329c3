import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Condition, Coverage, Patient, QuestionnaireResponse, ServiceRequest } from '@medplum/fhirtypes';
import express from 'express';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { questionnairePackageRouter } from '#payer/questionnaire-package/questionnaire-package-router.ts';
import type { DtrVersion } from '#prior-auth/coverage-requirement/payer.ts';
import { adaptiveDraft, takeNextQuestions } from '#prior-auth/questionnaire/adaptive-response.ts';
import { draftResponse } from '#prior-auth/questionnaire/draft-response.ts';
import { openForm } from '#prior-auth/questionnaire/open-form.ts';
import { prepopulate } from '#prior-auth/questionnaire/prepopulate.ts';
import { openStore, type Store } from '#store/database.ts';
import { withAskedQuestions } from '../store/forms.ts';
import { askPackages } from './ask-packages.ts';
import { askNextQuestion } from './next-question.ts';
import { createQuestionnaireService, type QuestionnaireService } from './questionnaire-service.ts';

// The adaptive form of the payer that shares no code with us, from its package to its determination.

const NOW = Date.UTC(2026, 10, 22, 12);
const today = '2026-11-22';
const log = pino({ level: 'silent' });
const patient: Patient = { resourceType: 'Patient', id: 'p', name: [{ use: 'official', family: 'Marsh', given: ['Elena'] }], gender: 'female', birthDate: '1979-05-23' };
const order: ServiceRequest = {
  resourceType: 'ServiceRequest', id: 's', status: 'active', intent: 'order', subject: { reference: 'Patient/p' }, code: { coding: [{ system: 'http://www.ama-assn.org/go/cpt', code: '72148' }] },
  extension: [{ url: 'http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information', extension: [{ url: 'coverage-assertion-id', valueString: 'assertion-1' }] }],
};
const coverage: Coverage = { resourceType: 'Coverage', id: 'c', status: 'active', beneficiary: { reference: 'Patient/p' }, payor: [{ display: 'x' }] };
const complaint: Condition = {
  resourceType: 'Condition', id: 'back', subject: { reference: 'Patient/p' }, onsetDateTime: '2026-09-01', clinicalStatus: { coding: [{ code: 'active' }] },
  code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'M54.16', display: 'Radiculopathy, lumbar region' }] },
};
const ehr = { search: async (type: string) => (type === 'Condition' ? [complaint] : []), follow: async () => undefined };
const author = { reference: 'Practitioner/d' };

let store: Store;
let service: QuestionnaireService;
let server: Server;
beforeAll(async () => {
  store = await openStore({ dataDir: 'memory' });
  service = await createQuestionnaireService({ store, log, now: () => NOW });
  const app = express();
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  app.use(questionnairePackageRouter({ baseUrl: origin(), policyFolder: new URL('../../policies/library', import.meta.url).pathname, authorise: (_req, _res, next) => next(), log, now: () => NOW }));
  await service.warmUp();
}, 60_000);
afterAll(async () => {
  await service.stop();
  server.close();
  await store.close();
});
const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

it.each<[DtrVersion, string]>([['2.0.1', ''], ['2.2', 'dtr-2.2/']])('DTR %s: filled in from the record, answered, satisfied', async (version, under) => {
  const operations = { questionnairePackage: `${under}Questionnaire/$questionnaire-package`, nextQuestion: `${under}Questionnaire/$next-question`, expand: `${under}ValueSet/$expand` };
  const access = { payerId: 'p', base: `${origin()}/payer/fhir`, dtr: { version, operations }, fetch: (url: string, init: RequestInit) => fetch(url, init) };
  const found = await askPackages([{ access, payerName: 'Payer', coverage, questionnaires: [], assertionId: 'assertion-1' }], { order, referenced: [patient], today });
  const [one] = found.packages;
  if (!one) throw new Error(JSON.stringify(found));
  expect(one.adaptive).toBeDefined();

  let response: QuestionnaireResponse = adaptiveDraft(draftResponse({ questionnaire: one.questionnaire, patient: 'Patient/p', coverage: 'Coverage/c', order: 'ServiceRequest/s', purposes: [], author, authored: '2026-11-22T10:00:00Z' }), one.questionnaire);
  const chosen: Record<string, object> = { pain: { valueInteger: 7 }, weeks: { valueInteger: 9 }, 'earlier-mri': { valueBoolean: false } };
  const filled = new Set<string>();
  for (let round = 0; round < 6 && response.status !== 'completed'; round += 1) {
    const next = await askNextQuestion(access, one.adaptive?.base, response);
    if (next.kind !== 'response') throw new Error(JSON.stringify(next.problems));
    const taken = takeNextQuestions(response, next.response);
    if (taken.kind === 'unreadable') throw new Error(taken.why);
    const form = withAskedQuestions(one, taken.response);
    const population = await service.populate({ package: form, launch: { patient, order, coverage }, ehr });
    expect(population.failures).toEqual([]);
    const merged = prepopulate({ questionnaire: form.questionnaire, draft: taken.response, values: Object.fromEntries(Object.entries(population.values).filter(([linkId]) => taken.added.has(linkId))), author, today, valueSets: form.valueSets });
    const open = openForm({ questionnaire: form.questionnaire, response: merged.response, author, today });
    for (const { linkId, answers } of open.items()) if (answers.length > 0) filled.add(linkId);
    for (const item of open.items()) {
      if (item.type === 'group' || item.type === 'display' || item.readOnly || item.answers.length > 0) continue;
      const value = item.linkId === 'warning-signs' ? item.options.at(-1)?.value : chosen[item.linkId] ?? item.options[0]?.value;
      if (value) open.setAnswer(item.path, 0, value);
    }
    response = taken.kind === 'completed' ? taken.response : { ...open.response(), status: 'in-progress' };
  }
  expect([...filled]).toEqual(expect.arrayContaining(['indication', 'onset', 'points']));
  expect(response.status).toBe('completed');
  const [said] = readCoverageInformation(response);
  expect(said).toMatchObject({ coverage: 'Coverage/c', covered: 'covered', paNeeded: 'satisfied', satisfiedPaId: expect.stringMatching(/^PA-/) });
});
