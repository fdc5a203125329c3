import { readUserRole } from '../ehr/user-role.ts';
import type { PanelHandler } from './panel-parts.ts';

export function readSession(): PanelHandler<'readSession'> {
  return async (_request, { session, caseId, ehr }) => {
    const roleCode = await readUserRole(ehr, session.user.reference);
    return {
      user: { ...session.user, ...(roleCode === undefined ? {} : { roleCode }) },
      needPatientBanner: session.needPatientBanner,
      caseId,
      expiresAt: session.expiresAt,
    };
  };
}
