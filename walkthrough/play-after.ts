import type { CaseStateKind } from '#prior-auth/case.ts';
import type { CaseView, PanelMessage, PanelReplies } from '#prior-auth/panel-api.ts';
import { type BrowserLikeClient, UnexpectedAnswer } from './browser-like-client.ts';
import type { LaterStep } from './story.ts';

type Facts = Readonly<Record<string, unknown>>;

/** What the later part of a story needs of its first part. */
export interface Panel {
  readonly browser: BrowserLikeClient;
  /** Sends the version of the case along. */
  readonly act: <M extends PanelMessage>(message: M, more?: object) => Promise<PanelReplies[M]>;
  readonly read: () => Promise<CaseView>;
  /** Fills in what is asked again and submits. */
  readonly submitAgain: () => Promise<void>;
}

const WAIT_MS = 60_000;
/** Of the built-in payer on localhost (docs/configuration.md). */
const REVIEWER = { authorization: `Bearer ${process.env['PAYER_REVIEW_TOKEN'] || 'open-prior-auth-sandbox-reviewer'}` };
const NAMED = { reviewer: { name: 'Reviewer of the walkthrough' } };

/** The name that the step is reported under, and its work. */
export function laterStep(panel: Panel, step: LaterStep): readonly [string, () => Promise<readonly [void, Facts]>] {
  const { act } = panel;
  switch (step.do) {
    case 'change-quantity':
      return ['request-changed', async () => {
        await act('changeRequest', { change: { cancel: [], change: [{ sequence: 1, quantity: { value: step.to } }], add: [] } });
        return reached(panel, ['pended', 'decided'], undefined);
      }];
    case 'await-decision':
      return ['payer-decision', () => reached(panel, ['decided'], step.decision)];
    case 'cancel':
      return ['request-cancelled', async () => {
        await act('cancelRequest');
        return reached(panel, ['cancelled'], undefined);
      }];
    case 'request-again':
    case 'renew':
      return [step.do === 'renew' ? 'authorization-renewed' : 'asked-again', async () => {
        const { case: opened } = await act(step.do === 'renew' ? 'renewAuthorization' : 'requestAgain');
        await panel.submitAgain();
        const [, facts] = await reached(panel, ['decided'], step.decision);
        return [undefined, { ...facts, follows: opened.follows?.why }];
      }];
    case 'payer-asks':
      return ['payer-asks', () => askAsReviewer(panel, step.loinc, step.text)];
    case 'answer-ask':
      return ['ask-answered', () => answerAsk(panel, step.note)];
    case 'reviewer-decides':
      return ['reviewer-decided', async () => {
        await decideAsReviewer(panel, step.decision);
        return reached(panel, ['decided'], step.decision === 'approve' ? 'approved' : 'denied');
      }];
    case 'decision-by-hand':
      return ['decision-by-hand', async () => {
        await act('switchToManual', { reference: step.reference, submittedAt: new Date().toISOString() });
        const decision = { items: [{ kind: 'approved', sequence: 1, authorizationNumber: step.reference }], learnedBy: 'telephone' };
        const view = await act('recordDecision', { decision });
        const { state } = view.case;
        if (state.kind !== 'decided' || !state.decision.entered) throw new UnexpectedAnswer(`the case is ${state.kind}, the story expects a decision entered by hand`);
        return [undefined, { state: state.kind, headline: view.decisionWords?.headline }];
      }];
  }
}

async function reached({ read }: Panel, kinds: readonly CaseStateKind[], decision: string | undefined): Promise<readonly [void, Facts]> {
  for (const until = Date.now() + WAIT_MS; ; ) {
    const view = await read();
    const { state } = view.case;
    const refused = 'lastChange' in state ? state.lastChange : undefined;
    if (refused) throw new UnexpectedAnswer(`the payer did not take the ${refused.purpose}: ${refused.reason}`);
    if (kinds.includes(state.kind)) {
      const overall = state.kind === 'decided' ? state.decision.overall : undefined;
      if (decision !== undefined && overall !== decision) throw new UnexpectedAnswer(`the payer's decision is ${overall}, the story expects ${decision}`);
      return [undefined, { state: state.kind, decision: overall, headline: view.decisionWords?.headline }];
    }
    if (state.kind === 'refused') throw new UnexpectedAnswer(`the case is refused: ${state.reason}`);
    if (Date.now() > until) throw new UnexpectedAnswer(`the case is ${state.kind}, the story expects ${kinds.join(' or ')}`);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

/** The item that came last: no other story is being played. */
async function pendedItem({ browser }: Panel): Promise<string> {
  const { items } = await browser.json<{ items: { id: string; receivedAt: string }[] }>('GET', '/payer/review/queue', undefined, REVIEWER);
  const item = items.sort((a, b) => a.receivedAt.localeCompare(b.receivedAt)).at(-1);
  if (!item) throw new UnexpectedAnswer('nothing waits in the payer’s queue');
  return item.id;
}

async function askAsReviewer(panel: Panel, loinc: string, text: string): Promise<readonly [void, Facts]> {
  const id = await pendedItem(panel);
  await panel.browser.json('POST', `/payer/review/queue/${id}/ask`, { kind: 'attachment', codes: [{ system: 'http://loinc.org', code: loinc }], text, ...NAMED }, REVIEWER);
  for (const until = Date.now() + WAIT_MS; ; ) {
    const open = await openAsk(panel);
    if (open) return [undefined, { wants: open.wants.kind, text: open.text }];
    if (Date.now() > until) throw new UnexpectedAnswer('what the payer asks for does not reach the case');
    await panel.act('checkNow');
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function openAsk({ read }: Panel) {
  const { state } = (await read()).case;
  return state.kind === 'pended' ? state.asks?.find((ask) => ask.state === 'open') : undefined;
}

async function answerAsk(panel: Panel, note: string): Promise<readonly [void, Facts]> {
  const open = await openAsk(panel);
  if (!open) throw new UnexpectedAnswer('the payer asks for nothing');
  const file = { title: 'Progress note (synthetic)', contentType: 'text/plain', data: Buffer.from('Synthetic progress note.').toString('base64') };
  await panel.act('answerAsk', { askId: open.id, references: [], files: [file], note });
  for (const until = Date.now() + WAIT_MS; ; ) {
    const { state } = (await panel.read()).case;
    const ask = 'asks' in state ? state.asks?.find(({ id }) => id === open.id) : undefined;
    if (state.kind === 'decided' || ask?.state === 'answered') return [undefined, { ask: ask?.state ?? state.kind }];
    if (ask?.answer?.kind === 'refused') throw new UnexpectedAnswer(`the payer did not take the answer: ${ask.answer.reason}`);
    if (Date.now() > until) throw new UnexpectedAnswer('the answer does not reach the payer');
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

async function decideAsReviewer(panel: Panel, decision: 'approve' | 'deny'): Promise<void> {
  const id = await pendedItem(panel);
  await panel.browser.json('POST', `/payer/review/queue/${id}/decision`, { decision, ...(decision === 'deny' ? { reason: 'What was sent does not show the need.' } : {}), ...NAMED }, REVIEWER);
}
