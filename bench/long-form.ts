import type { AddressInfo } from 'node:net';
import type { Questionnaire, QuestionnaireItem } from '@medplum/fhirtypes';
import express from 'express';
import type { CaseView, FormView, PanelSession } from '#prior-auth/panel-api.ts';
import type { PanelLaunch } from '#prior-auth/panel-launch-api.ts';
import { screensRouter } from '#start/screens.ts';

const AUTHOR = { reference: 'Practitioner/bench', name: 'Bench' };

/** One payer form with `count` questions of every typed and chosen kind: a question in ten is calculated, one in ten depends on the one before it. */
export function longQuestionnaire(count: number): Questionnaire {
  const question = (index: number): QuestionnaireItem => {
    const linkId = `q${index}`;
    const text = `Question ${index + 1}: what does the record say about this?`;
    const required = index % 4 === 0;
    switch (index % 10) {
      case 1:
        return { linkId, text, required, type: 'choice', answerOption: ['yes', 'no', 'unknown'].map((code) => ({ valueCoding: { system: 'urn:bench', code, display: code } })) };
      case 2:
        return { linkId, text, required, type: 'boolean' };
      case 3:
        return { linkId, text, type: 'string', enableWhen: [{ question: `q${index - 1}`, operator: '=', answerBoolean: true }] };
      case 4:
        return { linkId, text, required, type: 'date' };
      case 5:
        return { linkId, text, type: 'text' };
      case 6:
        return { linkId, text, required, type: 'decimal' };
      case 7:
        return { linkId, text, type: 'choice', answerOption: Array.from({ length: 20 }, (_, option) => ({ valueCoding: { system: 'urn:bench', code: `o${option}`, display: `Option ${option}` } })) };
      case 8:
        return {
          linkId, text, type: 'integer', readOnly: true,
          extension: [{ url: 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression', valueExpression: { language: 'text/fhirpath', expression: `%resource.descendants().where(linkId = 'q${index - 8}').answer.value.first().length()` } }],
        };
      default:
        return { linkId, text, required, type: 'string' };
    }
  };
  const groups = Array.from({ length: Math.ceil(count / 20) }, (_, group): QuestionnaireItem => ({
    linkId: `g${group}`, text: `Part ${group + 1}`, type: 'group', item: Array.from({ length: Math.min(20, count - group * 20) }, (__, index) => question(group * 20 + index)),
  }));
  return { resourceType: 'Questionnaire', url: 'urn:bench:long-form', status: 'active', title: 'Long form', item: groups };
}

export interface FormServer {
  readonly baseUrl: string;
  readonly stop: () => Promise<void>;
}

/** The built panel and just enough of its API for one form: nothing but the browser is measured. */
export async function startFormServer(questionnaire: Questionnaire): Promise<FormServer> {
  const now = new Date().toISOString();
  let form: FormView = { formId: 'long', questionnaire, response: { resourceType: 'QuestionnaireResponse', status: 'in-progress', item: [] }, version: 1, sources: {}, population: { status: 'done', warnings: [] } };
  const session: PanelSession = { user: AUTHOR, needPatientBanner: false, caseId: 'bench', expiresAt: new Date(Date.now() + 3_600_000).toISOString() };
  const view: CaseView = {
    case: {
      id: 'bench', version: 1, createdAt: now, updatedAt: now, ehrBase: 'http://ehr.example/fhir', patient: { id: 'p', name: 'Synthetic Patient' },
      service: { order: 'ServiceRequest/s', orderType: 'ServiceRequest', codings: [], display: 'Service', priority: 'routine', reasonCodes: [], reasonReferences: [] },
      payer: { id: 'payer', name: 'Payer' },
      requirement: { coverage: 'Coverage/c', covered: 'covered', paNeeded: 'auth-needed', docPurpose: [], infoNeeded: [], reasons: [], questionnaires: ['urn:bench:long-form'], date: now.slice(0, 10), assertionId: 'bench' },
      state: { kind: 'questionnaire', missing: 1 },
    },
    clock: null, decisionWords: null, risk: null,
  };
  const launch: PanelLaunch = { kind: 'case', style: {}, notGranted: [], intent: null };
  const app = express();
  app.use(screensRouter());
  app.get('/panel/api/launch', (_request, response) => void response.json(launch));
  app.get('/panel/api/session', (_request, response) => void response.json(session));
  app.get('/panel/api/case', (_request, response) => void response.json(view));
  app.get('/panel/api/questionnaires', (_request, response) => void response.json({ forms: [form] }));
  app.put('/panel/api/questionnaires/save', express.json({ limit: '2mb' }), (request, response) => {
    const { response: saved } = request.body as { readonly response: FormView['response'] };
    form = { ...form, version: form.version + 1, response: saved };
    response.json({ form });
  });
  app.get('/panel/api/hand-over', (_request, response) => void response.json({ handOver: null }));
  app.use('/panel/api', (_request, response) => void response.json({}));
  const server = await new Promise<ReturnType<typeof app.listen>>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
