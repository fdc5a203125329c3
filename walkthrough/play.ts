import { openForm } from '#prior-auth/questionnaire/open-form.ts';
import type { Form } from '#prior-auth/questionnaire/form.ts';
import { PANEL_API, PANEL_SESSION_HEADER, type CaseView, type FormView, type PanelMessage, type PanelReplies, type PanelSession, type SubmissionPreview } from '#prior-auth/panel-api.ts';
import type { WorklistCase } from '#prior-auth/worklist-api.ts';
import { BrowserLikeClient, UnexpectedAnswer } from './browser-like-client.ts';
import { laterStep, type Panel } from './play-after.ts';
import type { Story } from './story.ts';

export interface StepReport {
  readonly story: string;
  readonly step: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly [fact: string]: unknown;
}

type Facts = Readonly<Record<string, unknown>>;

interface SignReply {
  readonly hook: { readonly ms: number; readonly status: number };
  readonly cards: readonly { readonly summary: string }[];
  readonly coverageInformation: readonly { readonly covered: string; readonly paNeeded?: string; readonly questionnaires: readonly string[] }[];
  readonly failure?: { readonly message: string };
}

/** Longest wait for a payer's final answer, milliseconds. */
const DECISION_WAIT_MS = 60_000;

/** Plays one story over HTTP, reporting each step as it ends. Resolves to false at the first step that fails. */
export async function play(story: Story, base: string, report: (step: StepReport) => void): Promise<boolean> {
  const browser = new BrowserLikeClient(base);
  const step = async <T>(name: string, work: () => Promise<readonly [T, Facts]>): Promise<T> => {
    const startedAt = performance.now();
    try {
      const [value, facts] = await work();
      report({ story: story.name, step: name, ok: true, ms: Math.round(performance.now() - startedAt), ...facts });
      return value;
    } catch (error) {
      report({ story: story.name, step: name, ok: false, ms: Math.round(performance.now() - startedAt), error: error instanceof Error ? error.message : String(error) });
      throw new StoryStopped();
    }
  };
  try {
    await playSteps(story, browser, step);
    return true;
  } catch (error) {
    if (error instanceof StoryStopped) return false;
    throw error;
  }
}

class StoryStopped extends Error {}

type Step = <T>(name: string, work: () => Promise<readonly [T, Facts]>) => Promise<T>;

async function playSteps(story: Story, browser: BrowserLikeClient, step: Step): Promise<void> {
  await step('signed-in', () => signIn(browser));
  const order = await step('order-written', () => writeOrder(story, browser));
  const requirement = await step('order-signed', () => signOrder(story, browser, order));
  if (requirement === 'no-auth') return;
  const session = await step('panel-launched', () => launchPanel(browser, order));
  const forms = await step('questionnaire-pre-filled', () => prefill(browser, session));
  await step('questionnaire-completed', () => completeForms(story, browser, session, forms));
  if (story.expect.satisfiedByForm) {
    await step('authorized-by-form', () => readAuthorization(browser, session));
    return;
  }
  if (!story.notSent) {
    await step('pas-bundle-submitted', () => submit(browser, session));
    if (story.expect.firstAnswer) await step('payer-pended', () => awaitState(browser, session, 'pended'));
    if (story.expect.decision) await step('payer-decision', () => awaitDecision(story, browser, session));
  }
  for (const later of story.later ?? []) await step(...laterStep(panelOf(story, browser, session), later));
  await step('worklist-shows-it', async () => readWorklist(browser, await ask(browser, session, 'readCase', undefined)));
}

function panelOf(story: Story, browser: BrowserLikeClient, session: string): Panel {
  const read = () => ask(browser, session, 'readCase', undefined);
  return {
    browser,
    read,
    act: async (message, more) => ask(browser, session, message, { caseVersion: (await read()).case.version, ...more }),
    async submitAgain() {
      const [forms] = await prefill(browser, session);
      await completeForms(story, browser, session, forms);
      await submit(browser, session);
    },
  };
}

async function signIn(browser: BrowserLikeClient) {
  const { users } = await browser.json<{ users: { id: string; name: string; role: string }[] }>('GET', '/ehr/ui/users');
  const user = users[0];
  if (!user) throw new UnexpectedAnswer('the EHR has no users');
  await browser.json('POST', '/ehr/ui/login', { user: user.id });
  return [undefined, { user: user.id }] as const;
}

async function writeOrder(story: Story, browser: BrowserLikeClient) {
  const chart = await browser.json<{ orders: { reference: string; status: string }[] }>('GET', `/ehr/ui/patients/${story.patient}/chart`);
  const existing = chart.orders.find((each) => each.reference === story.order.existing && each.status === 'draft');
  if (existing) return [existing.reference, { order: existing.reference, existing: true }] as const;
  const { items } = await browser.json<{ items: { id: string; code: { code: string } }[] }>('GET', '/ehr/ui/catalog');
  const item = items.find((each) => each.code.code === story.order.code);
  if (!item) throw new UnexpectedAnswer(`the EHR's catalog has no ${story.order.code}`);
  const { order } = await browser.json<{ order: string }>('POST', `/ehr/ui/patients/${story.patient}/orders`, { catalogId: item.id, ...(story.order.quantity ? { quantity: story.order.quantity } : {}) });
  return [order, { order, code: story.order.code }] as const;
}

async function signOrder(story: Story, browser: BrowserLikeClient, order: string) {
  const reply = await browser.json<SignReply>('POST', '/ehr/ui/orders/sign', { order });
  if (reply.failure) throw new UnexpectedAnswer(`the hook failed: ${reply.failure.message}`);
  const [information] = reply.coverageInformation;
  const requirement = information?.paNeeded ?? 'unknown';
  if (requirement !== story.expect.requirement) throw new UnexpectedAnswer(`coverage-information says ${requirement}, the story expects ${story.expect.requirement}`);
  if (requirement === 'no-auth' && reply.cards.length > 0) throw new UnexpectedAnswer('nothing is needed, yet there are cards');
  const facts = { covered: information?.covered, paNeeded: requirement, questionnaires: information?.questionnaires, cards: reply.cards.map((card) => card.summary), hookMs: reply.hook.ms };
  return [requirement, facts] as const;
}

async function launchPanel(browser: BrowserLikeClient, order: string) {
  const { launchUrl } = await browser.json<{ launchUrl: string }>('POST', '/ehr/ui/orders/launch', { order });
  const end = await browser.navigate(launchUrl);
  const session = end.searchParams.get('s');
  if (end.pathname !== '/panel/' || !session) throw new UnexpectedAnswer(`the launch ended at ${end.pathname}`);
  const { caseId } = await ask(browser, session, 'readSession', undefined);
  return [session, { caseId }] as const;
}

async function prefill(browser: BrowserLikeClient, session: string) {
  const { forms: listed } = await ask(browser, session, 'listForms', undefined);
  if (listed.length === 0) throw new UnexpectedAnswer('the payer gave no questionnaire');
  const forms: FormView[] = [];
  for (const form of listed) forms.push((await ask(browser, session, 'populateForm', { formId: form.formId })).form);
  const { user } = await ask(browser, session, 'readSession', undefined);
  const views = forms.map((form) => open(form, user).view());
  return [
    forms,
    {
      forms: views.map((view) => ({ title: view.title, ...view.counts, gaps: view.gaps.map((gap) => gap.linkId) })),
      sources: forms.reduce((sum, form) => sum + Object.keys(form.sources).length, 0),
      cql: forms.map((form) => form.population.cql).filter(Boolean),
      warnings: forms.flatMap((form) => form.population.warnings),
    },
  ] as const;
}

async function completeForms(story: Story, browser: BrowserLikeClient, session: string, forms: readonly FormView[]) {
  const { user } = await ask(browser, session, 'readSession', undefined);
  const entered: string[] = [];
  for (const saved of forms) {
    if (saved.adaptive) {
      entered.push(...(await answerSteps(story, browser, session, saved, user)));
      continue;
    }
    const form = open(saved, user);
    for (const [linkId, value] of Object.entries(story.answers)) {
      const item = form.items().find((each) => each.linkId === linkId);
      if (!item) continue;
      form.setAnswer(item.path, 0, value);
      entered.push(linkId);
    }
    const draft = (await ask(browser, session, 'saveForm', { formId: saved.formId, version: saved.version, response: form.response() })).form;
    const gaps = form.gaps().map((gap) => gap.linkId);
    if (gaps.length > 0) throw new UnexpectedAnswer(`the story has no answer for ${gaps.join(', ')}`);
    await ask(browser, session, 'completeForm', { formId: saved.formId, version: draft.version, response: form.response() });
  }
  return [undefined, { entered }] as const;
}

/** More rounds than any story's form needs: a payer that never ends fails the story. */
const MOST_ROUNDS = 20;

/** An adaptive form: each round answers what is asked, until the payer says that it has enough. */
async function answerSteps(story: Story, browser: BrowserLikeClient, session: string, first: FormView, user: PanelSession['user']) {
  const entered: string[] = [];
  let current = first;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const form = open(current, user);
    for (const [linkId, value] of Object.entries(story.answers)) {
      const item = form.items().find((each) => each.linkId === linkId);
      if (!item || item.answers.length > 0) continue;
      form.setAnswer(item.path, 0, value);
      entered.push(linkId);
    }
    const gaps = form.gaps().map((gap) => gap.linkId);
    if (gaps.length > 0) throw new UnexpectedAnswer(`the story has no answer for ${gaps.join(', ')}`);
    const next = await ask(browser, session, 'nextQuestion', { formId: current.formId, version: current.version, response: { ...form.response() } });
    if (next.problems.length > 0) throw new UnexpectedAnswer(`the payer does not accept the answers: ${next.problems.map((problem) => problem.message).join('; ')}`);
    if (next.completed) return entered;
    current = next.form;
  }
  throw new UnexpectedAnswer(`the payer still asks after ${MOST_ROUNDS} rounds`);
}

async function readAuthorization(browser: BrowserLikeClient, session: string) {
  const { case: ended } = await ask(browser, session, 'readCase', undefined);
  if (ended.state.kind !== 'no-authorization-needed') throw new UnexpectedAnswer(`the case is ${ended.state.kind}, the story expects that the form was enough`);
  return [undefined, { state: ended.state.kind, authorizationNumber: ended.state.authorizationNumber }] as const;
}

async function submit(browser: BrowserLikeClient, session: string) {
  const preview: SubmissionPreview = await ask(browser, session, 'previewSubmission', undefined);
  if (preview.problems.length > 0) throw new UnexpectedAnswer(preview.problems.map((problem) => `${problem.code}: ${problem.message}`).join('; '));
  const { case: before } = await ask(browser, session, 'readCase', undefined);
  const view = await ask(browser, session, 'submit', { caseVersion: before.version });
  return [undefined, { state: view.case.state.kind, resources: preview.resources.map((resource) => resource.resourceType) }] as const;
}

async function awaitState(browser: BrowserLikeClient, session: string, kind: 'pended' | 'decided'): Promise<readonly [CaseView, Facts]> {
  const until = Date.now() + DECISION_WAIT_MS;
  for (;;) {
    const view = await ask(browser, session, 'readCase', undefined);
    const { state } = view.case;
    if (state.kind === kind) return [view, { state: kind, headline: view.decisionWords?.headline, clock: view.clock }];
    if (state.kind === 'refused' || state.kind === 'decided') throw new UnexpectedAnswer(`the case is ${state.kind}${state.kind === 'refused' ? `: ${state.reason}` : ''}, the story expects ${kind}`);
    if (Date.now() > until) throw new UnexpectedAnswer(`no answer in ${DECISION_WAIT_MS / 1000} s; the case is ${JSON.stringify(state)}`);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

async function awaitDecision(story: Story, browser: BrowserLikeClient, session: string): Promise<readonly [CaseView, Facts]> {
  const [view, facts] = await awaitState(browser, session, 'decided');
  const { state } = view.case;
  const overall = state.kind === 'decided' ? state.decision.overall : undefined;
  if (overall !== story.expect.decision) throw new UnexpectedAnswer(`the payer's decision is ${overall}, the story expects ${story.expect.decision}`);
  return [view, { ...facts, decision: overall, items: view.decisionWords?.items }];
}

async function readWorklist(browser: BrowserLikeClient, view: CaseView) {
  const end = await browser.navigate('/work/login');
  if (end.pathname !== '/work/') throw new UnexpectedAnswer(`signing in to the worklist ended at ${end.pathname}`);
  const row = await browser.json<WorklistCase>('GET', `/work/api/cases/${view.case.id}`);
  if (row.case.state.kind !== view.case.state.kind) throw new UnexpectedAnswer(`the worklist shows ${row.case.state.kind}`);
  return [undefined, { state: row.case.state.kind, timeline: row.timeline.map((entry) => entry.action) }] as const;
}

function open(form: FormView, user: PanelSession['user']): Form {
  return openForm({ questionnaire: form.questionnaire, response: form.response, author: { reference: user.reference, display: user.name }, today: new Date().toISOString().slice(0, 10) });
}

async function ask<M extends PanelMessage>(browser: BrowserLikeClient, session: string, message: M, body: object | undefined): Promise<PanelReplies[M]> {
  const { method, path } = PANEL_API[message];
  const reply = await browser.json<PanelReplies[M]>(method, `/panel/api${path}`, method === 'GET' ? undefined : (body ?? {}), { [PANEL_SESSION_HEADER]: session });
  return reply;
}
