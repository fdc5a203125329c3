import type { Card } from './hook-answer.ts';

/** Where answers name their override reasons. */
export const OVERRIDE_REASONS = 'https://openpriorauth.org/CodeSystem/override-reason';

/** Why a clinician may pass over what is to be documented: asked on our own cards. */
export const NOT_DOCUMENTED_NOW: NonNullable<Card['overrideReasons']> = [
  ['documented-elsewhere', 'It is documented, but not in this record'],
  ['documented-later', 'It will be documented before the request is sent'],
  ['does-not-apply', 'It does not apply to this patient'],
  ['too-urgent', 'The service cannot wait for it'],
  ['seems-wrong', 'This seems to be wrong'],
].map(([code = '', display = '']) => ({ system: OVERRIDE_REASONS, code, display }));
