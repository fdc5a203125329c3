import type { PanelHandler } from './panel-parts.ts';

export function readSession(): PanelHandler<'readSession'> {
  return async (_request, { session, caseId }) => ({
    user: session.user,
    needPatientBanner: session.needPatientBanner,
    caseId,
    expiresAt: session.expiresAt,
  });
}
