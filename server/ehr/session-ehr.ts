import { PriorAuthError } from '#prior-auth/errors.ts';
import { refreshTokens, type SmartClientIdentity } from '../smart/authorization.ts';
import { type EhrRegistration, findEhr } from '../smart/ehr-registration.ts';
import { expired, type Session, type Sessions } from '../smart/sessions.ts';
import { readTokenResponse, type SmartTokens } from '../smart/token-response.ts';
import { type EhrClient, openEhr } from './ehr-client.ts';

export type OpenSessionEhr = (session: Session) => EhrClient;

const RENEW_BEFORE_MS = 30_000;

/** Opens the EHR for a session and renews its token when it is about to end. Renewals of one session never run twice at once: a refresh token may be used once. */
export function sessionEhrOpener(identity: SmartClientIdentity, sessions: Sessions, ehrs: readonly EhrRegistration[]): OpenSessionEhr {
  const renewing = new Map<string, Promise<SmartTokens>>();

  const renew = async (session: Session): Promise<SmartTokens> => {
    // Another request of this session may have renewed since ours began.
    const { tokens } = await sessions.resume(session.kind, session.id, session.secret);
    const ehr = findEhr(ehrs, session.ehrBase);
    if (tokens.expiresAt - RENEW_BEFORE_MS > identity.now()) return tokens;
    if (!tokens.refreshToken || !ehr) throw expired();
    const answer = await refreshTokens(identity, { fhirBase: ehr.fhirBase, clientId: ehr.clientId, refreshToken: tokens.refreshToken }).catch((cause: unknown) => {
      throw cause instanceof PriorAuthError && cause.code === 'LAUNCH_REFUSED' ? expired(cause) : cause;
    });
    const renewed = { refreshToken: tokens.refreshToken, ...readTokenResponse(answer, identity.now).tokens };
    await sessions.storeTokens(session, renewed);
    return renewed;
  };

  return (session) => {
    let tokens = session.tokens;
    return openEhr(session.ehrBase, async () => {
      if (tokens.expiresAt > identity.now() && (!tokens.refreshToken || tokens.expiresAt - RENEW_BEFORE_MS > identity.now())) return tokens.accessToken;
      const running = renewing.get(session.id) ?? renew(session).finally(() => renewing.delete(session.id));
      renewing.set(session.id, running);
      tokens = await running;
      return tokens.accessToken;
    });
  };
}
