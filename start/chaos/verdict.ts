import { sql } from 'kysely';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { Store } from '#store/database.ts';
import type { MemberReport } from './payer-ledger.ts';

/** One line of the table. `violations` above 0 fails the run. */
export interface Check {
  readonly what: string;
  readonly violations: number;
  /** Case ids or members, a few. */
  readonly examples: readonly string[];
}

/** A case that was entered: the driver was told that it is stored. */
export interface EnteredCase {
  readonly caseId: string;
  readonly member: string;
}

const DECISION_OF: Readonly<Record<string, string>> = { A1: 'approved', A3: 'denied', A6: 'modified' };

/** Holds what the store says at the end against what the payer says. Neither is asked about the other's identifiers: members tell which case is which. */
export async function judge(store: Store, entered: readonly EnteredCase[], members: readonly MemberReport[]): Promise<readonly Check[]> {
  const cases = (await sql<{ id: string; document: PriorAuthCase }>`select id, document from cases.prior_auth_case`.execute(store.db)).rows;
  const submissions = (await sql<{ case_id: string; n: number; claims: string[]; open: number; standing: string }>`
    select case_id, count(*)::int as n, array_agg(claim_identifier) as claims, (count(*) filter (where status in ('queued', 'held', 'pended')))::int as open,
      string_agg(concat(status, ', ', attempts, ' tries, next ', to_char(next_at at time zone 'UTC', 'HH24:MI:SS'), ', ', coalesce(last_error, 'no error')), '; ') as standing
    from pas.submission group by case_id`.execute(store.db)).rows;
  const sentOf = (await sql<{ case_id: string; n: number }>`select case_id, count(*)::int as n from audit.event where action = 'pas-bundle-sent' group by case_id`.execute(store.db)).rows;
  const caseOf = new Map(cases.map((row) => [row.id, row.document]));
  const submissionOf = new Map(submissions.map((row) => [row.case_id, row]));
  const atPayer = new Map(members.map((report) => [report.member, report]));
  const sent = new Map(sentOf.map((row) => [row.case_id, row.n]));
  const known = new Set(entered.map(({ member }) => member));
  const check = (what: string, broken: readonly string[]): Check => ({ what, violations: broken.length, examples: broken.slice(0, 3) });
  const failing = (test: (each: EnteredCase) => boolean) => entered.filter(test).map(({ caseId }) => caseId);
  return [
    check('lost by us: a case that was stored is not there', failing(({ caseId }) => !caseOf.has(caseId))),
    check('lost on the way: the payer never took it', failing(({ member }) => !atPayer.has(member))),
    check('doubled with us: more than one request for a case', failing(({ caseId }) => (submissionOf.get(caseId)?.n ?? 0) > 1)),
    check('doubled at the payer: more than one request for a member', members.filter(({ requests }) => requests.length > 1).map(({ member }) => member)),
    check('altered: a repetition is not the same bytes', members.filter(({ altered }) => altered > 0).map(({ member }) => member)),
    check('unknown: the payer has what we do not', members.filter(({ member }) => !known.has(member)).map(({ member }) => member)),
    check('another identifier at the payer than with us', failing(({ caseId, member }) => {
      const [request] = atPayer.get(member)?.requests ?? [];
      return request !== undefined && !submissionOf.get(caseId)?.claims.includes(request);
    })),
    check('undecided at the end', failing(({ caseId }) => caseOf.get(caseId)?.state.kind !== 'decided' || (submissionOf.get(caseId)?.open ?? 1) > 0).map((caseId) => `${caseId} (${submissionOf.get(caseId)?.standing})`)),
    check('decided otherwise than the payer did', failing(({ caseId, member }) => {
      const state = caseOf.get(caseId)?.state;
      return state?.kind === 'decided' && state.decision.overall !== DECISION_OF[atPayer.get(member)?.code ?? ''];
    })),
    check('recorded as sent other than once', failing(({ caseId }) => sent.get(caseId) !== 1)),
  ];
}
