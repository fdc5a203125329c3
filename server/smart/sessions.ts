import type { ColumnType } from 'kysely';
import { z } from 'zod';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { Store } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import { type PendingAuthorization, pendingAuthorization } from './authorization.ts';
import { hashOf, newSecret, seal, unseal } from './seal.ts';
import type { SmartTokens } from './token-response.ts';

type Instant = ColumnType<Date, string, string>;
type SessionTables = {
  'panel.pending_launch': { state: string; kind: SessionKind; ehr_base: string; sealed: string; expires_at: Instant };
  'panel.session': {
    id: string; kind: SessionKind; secret_hash: string; ehr_base: string; user_reference: string; user_name: string; patient_id: string | null;
    case_id: string | null; need_patient_banner: boolean; sealed: string; created_at: Instant; expires_at: Instant; launch: unknown;
  };
  'panel.handover': { ticket_hash: string; session_id: string; sealed: string; expires_at: Instant };
};

/** What the launch said beside whose chart it is; empty for staff's sign-in. */
const sessionLaunch = z.object({
  encounter: z.string().optional(),
  intent: z.string().optional(),
  tenant: z.string().optional(),
  style: z.record(z.string(), z.string()).default({}),
  notGranted: z.array(z.object({ scope: z.string(), cannot: z.string() })).default([]),
});
export type SessionLaunch = z.infer<typeof sessionLaunch>;

/** `panel`: one chart in one tab. `work`: a member of staff at the worklist. */
export type SessionKind = 'panel' | 'work';

export interface Session {
  readonly id: string;
  readonly kind: SessionKind;
  readonly ehrBase: string;
  readonly user: { readonly reference: string; readonly name: string };
  readonly patientId: string | null;
  readonly caseId: string | null;
  readonly needPatientBanner: boolean;
  readonly launch: SessionLaunch;
  readonly expiresAt: string;
  readonly tokens: SmartTokens;
  /** Opens the sealed tokens; never logged, never sent but in the cookie. */
  readonly secret: string;
}

export interface Sessions {
  /** Keeps a sign-in between its two halves, for ten minutes, usable once and only by who has the state. */
  keepPending(kind: SessionKind, ehrBase: string, state: string, pending: PendingAuthorization): Promise<void>;
  /** Undefined: never begun here, used before, or too old. Whether it is the browser that began it is for the caller to see. */
  takePending(kind: SessionKind, state: string): Promise<{ readonly ehrBase: string; readonly pending: PendingAuthorization } | undefined>;
  begin(session: Omit<Session, 'id' | 'expiresAt' | 'secret'>): Promise<Session>;
  /** Throws SESSION_EXPIRED for a session that is unknown, over, of another kind, or not this browser's. */
  resume(kind: SessionKind, id: string | undefined, secret: string | undefined): Promise<Session>;
  storeTokens(session: Session, tokens: SmartTokens): Promise<void>;
  /** A session that was begun without an order gets its case. */
  setCase(id: string, caseId: string): Promise<void>;
  /** A word, good once and for a minute, by which a page that gets no cookie learns the session's secret. */
  handOver(session: Session): Promise<string>;
  /** Undefined: unknown, used before, or too old. */
  claim(ticket: string): Promise<{ readonly sessionId: string; readonly secret: string } | undefined>;
  close(id: string): Promise<void>;
  removeExpired(): Promise<void>;
}

const PENDING_MS = 10 * 60_000;
const HANDOVER_MS = 60_000;
/** A day's shift, when the EHR renews the tokens; else a session ends with its token. */
const LONGEST_SESSION_MS = 8 * 3_600_000;

const tokensSchema = z.object({ accessToken: z.string(), refreshToken: z.string().optional(), expiresAt: z.number() });

export function createSessions(store: Store, now: () => number): Sessions {
  const db = store.db.withTables<SessionTables>();
  const at = (epochMs: number) => new Date(epochMs).toISOString();
  const removeExpired = async () => {
    await db.deleteFrom('panel.pending_launch').where('expires_at', '<', new Date(now())).execute();
    await db.deleteFrom('panel.session').where('expires_at', '<', new Date(now())).execute();
    await db.deleteFrom('panel.handover').where('expires_at', '<', new Date(now())).execute();
  };

  return {
    removeExpired,
    async keepPending(kind, ehrBase, state, pending) {
      await removeExpired();
      await db
        .insertInto('panel.pending_launch')
        .values({ state: hashOf(state), kind, ehr_base: ehrBase, sealed: seal(state, 'pending', pending), expires_at: at(now() + PENDING_MS) })
        .execute();
    },
    async takePending(kind, state) {
      const row = await db.deleteFrom('panel.pending_launch').where('state', '=', hashOf(state)).where('kind', '=', kind).returningAll().executeTakeFirst();
      if (!row || row.expires_at.getTime() < now()) return undefined;
      const pending = unseal(state, 'pending', row.sealed);
      return pending === undefined ? undefined : { ehrBase: row.ehr_base, pending: pendingAuthorization.parse(pending) };
    },
    async begin(session) {
      const secret = newSecret();
      const id = uuidv7(now());
      const expiresAt = at(session.tokens.refreshToken ? now() + LONGEST_SESSION_MS : session.tokens.expiresAt);
      await db
        .insertInto('panel.session')
        .values({
          id,
          kind: session.kind,
          secret_hash: hashOf(secret),
          ehr_base: session.ehrBase,
          user_reference: session.user.reference,
          user_name: session.user.name,
          patient_id: session.patientId,
          case_id: session.caseId,
          need_patient_banner: session.needPatientBanner,
          sealed: seal(secret, id, session.tokens),
          created_at: at(now()),
          expires_at: expiresAt,
          launch: JSON.stringify(session.launch),
        })
        .execute();
      return { ...session, id, secret, expiresAt };
    },
    async resume(kind, id, secret) {
      if (!id || !secret || !z.uuid().safeParse(id).success) throw expired();
      const row = await db.selectFrom('panel.session').selectAll().where('id', '=', id).where('kind', '=', kind).executeTakeFirst();
      if (!row || row.secret_hash !== hashOf(secret)) throw expired();
      if (row.expires_at.getTime() <= now()) {
        await removeExpired();
        throw expired();
      }
      return {
        id: row.id,
        kind: row.kind,
        ehrBase: row.ehr_base,
        user: { reference: row.user_reference, name: row.user_name },
        patientId: row.patient_id,
        caseId: row.case_id,
        needPatientBanner: row.need_patient_banner,
        launch: sessionLaunch.parse(row.launch),
        expiresAt: row.expires_at.toISOString(),
        tokens: readTokens(unseal(secret, row.id, row.sealed)),
        secret,
      };
    },
    async storeTokens(session, tokens) {
      await db.updateTable('panel.session').set({ sealed: seal(session.secret, session.id, tokens) }).where('id', '=', session.id).execute();
    },
    async setCase(id, caseId) {
      await db.updateTable('panel.session').set({ case_id: caseId }).where('id', '=', id).execute();
    },
    async handOver(session) {
      const ticket = newSecret();
      await db.insertInto('panel.handover').values({ ticket_hash: hashOf(ticket), session_id: session.id, sealed: seal(ticket, session.id, session.secret), expires_at: at(now() + HANDOVER_MS) }).execute();
      return ticket;
    },
    async claim(ticket) {
      const row = await db.deleteFrom('panel.handover').where('ticket_hash', '=', hashOf(ticket)).returningAll().executeTakeFirst();
      if (!row || row.expires_at.getTime() < now()) return undefined;
      return { sessionId: row.session_id, secret: z.string().parse(unseal(ticket, row.session_id, row.sealed)) };
    },
    async close(id) {
      await db.deleteFrom('panel.session').where('id', '=', id).execute();
    },
  };
}

function readTokens(value: unknown): SmartTokens {
  const { refreshToken, ...tokens } = tokensSchema.parse(value);
  return refreshToken === undefined ? tokens : { ...tokens, refreshToken };
}

export function expired(cause?: unknown): PriorAuthError {
  return new PriorAuthError('SESSION_EXPIRED', 'Your session has ended.', { cause, nextStep: 'Open it again from the EHR. What you saved is kept.' });
}
