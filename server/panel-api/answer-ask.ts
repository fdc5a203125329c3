import { PriorAuthError } from '#prior-auth/errors.ts';
import type { PanelHandler } from './panel-parts.ts';

const later = (): never => { throw new PriorAuthError('CASE_STEP_NOT_ALLOWED', 'This cannot be done yet.'); };
export const answerAsk = (): PanelHandler<'answerAsk'> => async () => later();
export const openAskForm = (): PanelHandler<'openAskForm'> => async () => later();
export const recordUse = (): PanelHandler<'recordUse'> => async () => later();
