import { isDeepStrictEqual } from 'node:util';
import type { Extension, Questionnaire, QuestionnaireItem, QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import express, { type Response, Router } from 'express';

export interface DtrPayer {
  readonly router: Router;
  /** Every operation called, in order, with its body. */
  readonly calls: { readonly operation: string; readonly body: Body }[];
  /** What the payer answers; tests change it. */
  readonly answers: {
    package: (body: Body) => Answer;
    expand: (body: Body) => Answer;
    /** The next questions for what was answered; undefined when the payer has enough. */
    next: (answers: ReadonlyMap<string, QuestionnaireResponseItem>) => Questionnaire | undefined;
    /** Whether $next-question answers with Parameters or the bare response. */
    wrapped: boolean;
    /** Goes onto the finished response. */
    coverageInformation: Extension | undefined;
    logStatus: number;
  };
}

interface Body { readonly resourceType?: string; readonly parameter?: readonly { readonly name: string; readonly resource?: QuestionnaireResponse & object; readonly [value: string]: unknown }[]; readonly [element: string]: unknown }
interface Answer { readonly status?: number; readonly body: object }

/** The DTR side of a small payer, which shares no code with the sender. It holds every adaptive call to what DTR asks of a client. */
export function createDtrPayer(base: () => string): DtrPayer {
  const calls: DtrPayer['calls'] = [];
  const lastSent = new Map<string, Questionnaire>();
  const answers: DtrPayer['answers'] = { package: () => ({ body: { resourceType: 'Parameters' } }), expand: () => refusal(404, 'no such value set'), next: () => undefined, wrapped: false, coverageInformation: undefined, logStatus: 204 };
  const router = Router();
  router.get('/.well-known/smart-configuration', (_request, response) => void response.json({ token_endpoint: `${base()}/token` }));
  router.post('/token', (_request, response) => void response.json({ access_token: 'payer-token', token_type: 'Bearer', expires_in: 300 }));
  const json = express.json({ type: 'application/fhir+json', limit: '10mb' });
  const send = (response: Response, { status = 200, body }: Answer) => void response.status(status).type('application/fhir+json').send(JSON.stringify(body));
  const operation = (name: string, answer: (body: Body) => Answer) => {
    router.post(name.replace('$', '\\$'), json, (request, response) => {
      const body = request.body as Body;
      calls.push({ operation: name, body });
      if (request.get('authorization') !== 'Bearer payer-token') return send(response, refusal(401, 'no token'));
      send(response, answer(body));
    });
  };
  operation('/Questionnaire/$questionnaire-package', (body) => answers.package(body));
  operation('/ValueSet/$expand', (body) => answers.expand(body));
  operation('/Questionnaire/$log-questionnaire-errors', () => ({ status: answers.logStatus, body: {} }));
  operation('/Questionnaire/$next-question', (body) => {
    const received = body.resourceType === 'QuestionnaireResponse' ? (body as unknown as QuestionnaireResponse) : body.parameter?.find(({ name }) => name === 'questionnaire-response')?.resource;
    if (!received) return refusal(400, 'no questionnaire-response');
    const patient = received.subject?.reference ?? '';
    const contained = received.contained?.find((resource): resource is Questionnaire => resource.resourceType === 'Questionnaire' && `#${resource.id}` === received.questionnaire);
    if (!contained) return refusal(400, 'the response contains no Questionnaire');
    const before = lastSent.get(patient);
    if (before && contained.item && !isDeepStrictEqual(contained, before)) return refusal(400, 'the contained Questionnaire was changed');
    const given = new Map(flat(received.item).map((item) => [item.linkId ?? '', item]));
    for (const item of questions(contained.item)) {
      const found = given.get(item.linkId ?? '');
      if (item.required && !found?.answer?.length) return refusal(400, 'an answer is missing', `QuestionnaireResponse.repeat(item).where(linkId='${item.linkId}')`);
      for (const answer of found?.answer ?? []) {
        const origin = answer.extension?.find(({ url }) => url?.endsWith('/information-origin'))?.extension?.find(({ url }) => url === 'source')?.valueCode;
        if (!origin) return refusal(400, 'an answer has no origin', `QuestionnaireResponse.repeat(item).where(linkId='${item.linkId}')`);
        if (answer.valueString === 'not acceptable') return refusal(400, 'Say it in other words.', `QuestionnaireResponse.repeat(item).where(linkId='${item.linkId}')`);
      }
    }
    const next = answers.next(given);
    if (next) lastSent.set(patient, next);
    const reply: QuestionnaireResponse = next
      ? { ...received, status: 'in-progress', questionnaire: `#${next.id}`, contained: [next] }
      : { ...received, status: 'completed', ...(answers.coverageInformation ? { extension: [...(received.extension ?? []), answers.coverageInformation] } : {}) };
    return { body: answers.wrapped ? { resourceType: 'Parameters', parameter: [{ name: 'return', resource: reply }] } : reply };
  });
  return { router, calls, answers };
}

export function refusal(status: number, text: string, expression?: string): Answer {
  return { status, body: { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'invalid', details: { text }, ...(expression ? { expression: [expression] } : {}) }] } };
}

function flat(items: readonly QuestionnaireResponseItem[] | undefined): QuestionnaireResponseItem[] {
  return (items ?? []).flatMap((item) => [item, ...flat(item.item), ...(item.answer ?? []).flatMap((answer) => flat(answer.item))]);
}

function questions(items: readonly QuestionnaireItem[] | undefined): QuestionnaireItem[] {
  return (items ?? []).flatMap((item) => [...(item.type === 'group' || item.type === 'display' ? [] : [item]), ...questions(item.item)]);
}
