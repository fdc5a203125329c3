import type { NewNote, NewView, SavedView, StepResult, UsedUnits, WorklistCase, WorklistPage, WorklistPeople, WorklistQuery, WorklistSearch, WorklistSession, WorklistSteps } from '#prior-auth/worklist-api.ts';
import type { EnteredDecision } from '#prior-auth/payer-decision/entered-decision.ts';
import type { LabelViews, NewAppealResult, NewLabelOverride } from '#prior-auth/learning/labels-api.ts';
import { callJson, readFailure, type Reply } from '../ui/call-json.ts';

export function readSession(): Promise<Reply<WorklistSession>> {
  return call('GET', '/session');
}

export function readPage(search: WorklistSearch): Promise<Reply<WorklistPage>> {
  return call('POST', '/cases/search', search);
}

export function readCase(caseId: string): Promise<Reply<WorklistCase>> {
  return call('GET', `/cases/${encodeURIComponent(caseId)}`);
}

export function addNote(caseId: string, note: NewNote): Promise<Reply<unknown>> {
  return call('POST', `/cases/${encodeURIComponent(caseId)}/notes`, note);
}

export function enterDecision(caseId: string, decision: EnteredDecision): Promise<Reply<unknown>> {
  return call('POST', `/cases/${encodeURIComponent(caseId)}/decision`, decision);
}

export function readLabels(caseId: string): Promise<Reply<LabelViews>> {
  return call('GET', `/cases/${encodeURIComponent(caseId)}/labels`);
}

export function enterAppealResult(caseId: string, result: NewAppealResult): Promise<Reply<unknown>> {
  return call('POST', `/cases/${encodeURIComponent(caseId)}/appeal-result`, result);
}

export function enterLabelOverride(caseId: string, override: NewLabelOverride): Promise<Reply<unknown>> {
  return call('POST', `/cases/${encodeURIComponent(caseId)}/label-override`, override);
}

export function enterUse(caseId: string, use: UsedUnits): Promise<Reply<unknown>> {
  return call('POST', `/cases/${encodeURIComponent(caseId)}/use`, use);
}

export function pausePayer(payerId: string): Promise<Reply<unknown>> {
  return call('POST', `/payers/${encodeURIComponent(payerId)}/pause`, { note: '' });
}

export function resumePayer(payerId: string): Promise<Reply<unknown>> {
  return call('POST', `/payers/${encodeURIComponent(payerId)}/resume`, {});
}

export function takeSteps(steps: WorklistSteps['steps']): Promise<Reply<{ readonly results: readonly StepResult[] }>> {
  return call('POST', '/steps', { steps });
}

export function readPeople(): Promise<Reply<WorklistPeople>> {
  return call('GET', '/people');
}

export function readViews(): Promise<Reply<{ readonly views: readonly SavedView[] }>> {
  return call('GET', '/views');
}

export function saveView(view: NewView): Promise<Reply<SavedView>> {
  return call('POST', '/views', view);
}

export function removeView(id: string): Promise<Reply<unknown>> {
  return call('POST', `/views/${encodeURIComponent(id)}/remove`, {});
}

export function closeSession(): Promise<Reply<unknown>> {
  return call('POST', '/session/close', {});
}

/** The view as a file, as the browser keeps downloads. */
export async function downloadCsv(query: WorklistQuery): Promise<Reply<undefined>> {
  try {
    const response = await fetch('/work/api/cases/export', { method: 'POST', credentials: 'same-origin', headers: { 'content-type': 'application/json' }, body: JSON.stringify(query) });
    if (!response.ok) return { kind: 'failed', failure: readFailure(response.status, await response.json().catch(() => undefined)) };
    const address = URL.createObjectURL(await response.blob());
    const link = Object.assign(document.createElement('a'), { href: address, download: 'worklist.csv' });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    return { kind: 'ok', value: undefined };
  } catch {
    return { kind: 'failed', failure: { status: 0, code: 'NOT_REACHED', message: '' } };
  }
}

/** Without a session the EHR's sign-in comes first, then this page again. */
async function call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply<T>> {
  const reply = await callJson<T>({ method, path: `/work/api${path}`, body });
  if (reply.kind === 'failed' && reply.failure.status === 401) window.location.assign('/work/login');
  return reply;
}
