import type { Resource } from '@medplum/fhirtypes';
import { relativeReference } from '#fhir/base/reference.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { refreshTokens, type SmartClientIdentity } from '../smart/authorization.ts';
import type { RegisteredEhrs } from '../smart/registered-ehrs.ts';
import { expired, type Session, type Sessions } from '../smart/sessions.ts';
import { readTokenResponse, type SmartTokens } from '../smart/token-response.ts';
import { type EhrClient, openEhr } from './ehr-client.ts';

export type OpenSessionEhr = (session: Session) => EhrClient;

const RENEW_BEFORE_MS = 30_000;

/** Opens the EHR for a session and renews its token when it is about to end. Renewals of one session never run twice at once: a refresh token may be used once. */
export function sessionEhrOpener(identity: SmartClientIdentity, sessions: Sessions, ehrs: RegisteredEhrs): OpenSessionEhr {
  const renewing = new Map<string, Promise<SmartTokens>>();

  const renew = async (session: Session): Promise<SmartTokens> => {
    // Another request of this session may have renewed since ours began.
    const { tokens } = await sessions.resume(session.kind, session.id, session.secret);
    const ehr = ehrs.find(session.ehrBase);
    if (tokens.expiresAt - RENEW_BEFORE_MS > identity.now()) return tokens;
    if (!tokens.refreshToken || !ehr) throw expired();
    const answer = await refreshTokens(identity, ehr, tokens.refreshToken).catch((cause: unknown) => {
      throw cause instanceof PriorAuthError && cause.code === 'LAUNCH_REFUSED' ? expired(cause) : cause;
    });
    const read = readTokenResponse(answer, identity.now);
    if (session.patientId !== null && read.context.patient !== undefined && read.context.patient !== session.patientId) {
      await sessions.close(session.id);
      throw expired();
    }
    const renewed = { refreshToken: tokens.refreshToken, ...read.tokens };
    await sessions.storeTokens(session, renewed);
    return renewed;
  };

  return (session) => {
    let tokens = session.tokens;
    return boundToPatient(session.patientId, openEhr(session.ehrBase, async () => {
      if (tokens.expiresAt > identity.now() && (!tokens.refreshToken || tokens.expiresAt - RENEW_BEFORE_MS > identity.now())) return tokens.accessToken;
      const running = renewing.get(session.id) ?? renew(session).finally(() => renewing.delete(session.id));
      renewing.set(session.id, running);
      tokens = await running;
      return tokens.accessToken;
    }));
  };
}

/** A session is of one chart: what it saves is about that chart's patient, whatever the EHR would allow. */
function boundToPatient(patientId: string | null, ehr: EhrClient): EhrClient {
  return {
    ...ehr,
    async save(resource) {
      mustBeOf(patientId, resource);
      return ehr.save(resource);
    },
    async update(resource, version) {
      mustBeOf(patientId, resource);
      return ehr.update(resource, version);
    },
  };
}

function mustBeOf(patientId: string | null, resource: Resource): void {
  if (patientsOf(resource).every((reference) => relativeReference(reference) === `Patient/${patientId}`)) return;
  throw new PriorAuthError('EHR_REFUSED', `A ${resource.resourceType} of another patient was not saved.`, { nextStep: 'Close the panel and open it from the right patient’s chart.' });
}

function patientsOf(resource: Resource): readonly string[] {
  const record = resource as unknown as Readonly<Record<string, unknown>>;
  return ['subject', 'patient', 'beneficiary', 'for'].flatMap((element) => {
    const reference = (record[element] as { readonly reference?: unknown } | undefined)?.reference;
    return typeof reference === 'string' ? [reference] : [];
  });
}
