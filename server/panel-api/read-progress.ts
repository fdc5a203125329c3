import type { ReadProgress } from '#prior-auth/panel-api.ts';
import type { PanelHandler } from './panel-parts.ts';

/** How far each running population is, by case and form; nothing is kept after it. */
export type ProgressBoard = Map<string, ReadProgress>;

const IDLE: ReadProgress = { step: 'idle', done: 0, total: 0 };

export function progressKey(caseId: string, formId: string): string {
  return JSON.stringify([caseId, formId]);
}

/** Asked while a form is filled in; a plain answer each time, which any proxy lets through. */
export function readProgress(board: ProgressBoard): PanelHandler<'readProgress'> {
  return async ({ formId }, { caseId }) => board.get(progressKey(caseId, formId)) ?? IDLE;
}
