import { type Request, type Response, Router } from 'express';
import type { Logger } from 'pino';
import type { KindFeedback } from '../feedback-summary.ts';
import { signInForm } from '#admin/admin-pages.ts';
import type { AdminSession } from '#admin/admin-session.ts';
import { CLIENTS_PATH } from './clients-page.ts';
import { type Html, html, sendPage } from '#admin/html.ts';
import { type Row, table } from '#admin/table.ts';
import { FEEDBACK_API_PATH, FEEDBACK_PATH } from './paths.ts';

const TITLE = 'Feedback on cards';

export interface FeedbackPageParts {
  readonly session: AdminSession;
  /** For how many days feedback is kept. */
  readonly retentionDays: number;
  readonly summary: () => Promise<readonly KindFeedback[]>;
  readonly log: Logger;
}

/** What clinicians did with the cards: a page for people (session of the admin pages) and JSON for programs (Bearer with the admin token). */
export function feedbackRouter({ session, retentionDays, summary, log }: FeedbackPageParts): Router {
  const router = Router();
  const failed = (response: Response, answer: () => void) => (error: unknown): void => {
    log.error({ fault: error instanceof Error ? error.name : typeof error }, 'feedback could not be read');
    if (!response.headersSent) answer();
  };
  router.get(FEEDBACK_PATH, (request: Request, response: Response) => {
    if (!session.of(request)) return sendPage(response, 401, TITLE, signInForm(CLIENTS_PATH, { to: FEEDBACK_PATH }));
    summary()
      .then((kinds) => sendPage(response, 200, TITLE, feedbackPage(kinds, retentionDays)))
      .catch(failed(response, () => sendPage(response, 503, TITLE, html`<p role="alert">The feedback cannot be reached at the moment. Try again in a minute.</p>`)));
  });
  router.get(FEEDBACK_API_PATH, (request: Request, response: Response) => {
    if (!session.isBearer(request)) return void response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end();
    const send = (status: number, body: object): void => void response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' }).end(JSON.stringify(body));
    summary()
      .then((cards) => send(200, { retentionDays, cards }))
      .catch(failed(response, () => send(503, { error: 'The feedback cannot be reached at the moment.' })));
  });
  return router;
}

export function feedbackPage(kinds: readonly KindFeedback[], retentionDays: number): Html {
  const links = html`<p><a href="${CLIENTS_PATH}">Registered clients</a></p>`;
  if (kinds.length === 0) return html`<p>No feedback has been reported in the last ${retentionDays} days.</p>${links}`;
  return html`<p>What clinicians did with the cards in the last ${retentionDays} days, as far as their systems reported it. A card that was only passed over is not reported.</p>
${table('Cards, the most reported first', COLUMNS, kinds.map(row))}${links}`;
}

const COLUMNS = [
  { name: 'Card' }, { name: 'Type', words: true }, { name: 'Accepted', words: true }, { name: 'Overridden', words: true }, { name: 'Accepted of all', words: true }, { name: 'Why overridden' }, { name: 'Newest comments' },
] as const;

function row({ name, type, topic, accepted, overridden, reasons, comments }: KindFeedback): Row {
  const withReason = reasons.reduce((sum, { count }) => sum + count, 0);
  const without = overridden - withReason;
  const why = [...reasons.map(({ display, count }) => html`<li>${display}: ${count}</li>`), ...(without > 0 ? [html`<li>No reason given: ${without}</li>`] : [])];
  return {
    heading: name,
    cells: [
      html`${type.replaceAll('-', ' ')}${topic ? html`<br>${topic}` : ''}`,
      accepted,
      overridden,
      `${Math.round((100 * accepted) / (accepted + overridden))} %`,
      why.length === 0 ? '' : html`<ul>${why}</ul>`,
      comments.length === 0 ? '' : html`<ul>${comments.map((comment) => html`<li>${comment}</li>`)}</ul>`,
    ],
  };
}
