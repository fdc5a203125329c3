import type { CaseStateKind } from '#prior-auth/case.ts';
import type { WorklistCase, WorklistPage, WorklistSession } from '#prior-auth/worklist-api.ts';
import { callJson, type Reply } from '../ui/call-json.ts';

export const SORTS = ['clock', 'updated'] as const;

export interface WorklistQuery {
  readonly state: CaseStateKind | undefined;
  readonly q: string;
  readonly sort: (typeof SORTS)[number];
  readonly handedOver: boolean;
  readonly after: string | undefined;
}

export function readSession(): Promise<Reply<WorklistSession>> {
  return get('/session');
}

export function readPage({ state, q, sort, handedOver, after }: WorklistQuery): Promise<Reply<WorklistPage>> {
  const query = new URLSearchParams({ sort, ...(state === undefined ? {} : { state }), ...(handedOver ? { handedOver: 'true' } : {}), ...(q === '' ? {} : { q }), ...(after === undefined ? {} : { after }) });
  return get(`/cases?${query.toString()}`);
}

export function readCase(caseId: string): Promise<Reply<WorklistCase>> {
  return get(`/cases/${encodeURIComponent(caseId)}`);
}

export function closeSession(): Promise<Reply<Record<string, never>>> {
  return callJson({ method: 'POST', path: '/work/api/session/close', body: {} });
}

/** Without a session the EHR's sign-in comes first, then this page again. */
async function get<T>(path: string): Promise<Reply<T>> {
  const reply = await callJson<T>({ method: 'GET', path: `/work/api${path}` });
  if (reply.kind === 'failed' && reply.failure.status === 401) window.location.assign('/work/login');
  return reply;
}
