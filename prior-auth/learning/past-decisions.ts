import type { DenialRiskFacts } from './denial-risk.ts';

/*
 * What payers decided before: shares, counts and days by payer, procedure, specialty, service family and pairs. One arithmetic for serving and training,
 * so that a model is asked with the same numbers that it was taught with.
 */

/** Decisions are counted over so many days before the score: a payer that changes is seen to change, and counts do not grow with a clinic's age. */
export const PAST_DECISIONS_DAYS = 365;
/** A small group's share is drawn to the wider one's as if that had spoken this many times. */
const SMOOTHING_DECISIONS = 20;

const PAST_LEVELS = ['overall', 'payer', 'service_family', 'payer_service_family', 'procedure', 'specialty', 'payer_procedure'] as const;
export type PastLevel = (typeof PAST_LEVELS)[number];

/** Sums over a window. `days` from submission to decision, over the `timed` decisions of which both are known. */
export interface DecisionTotals {
  readonly decisions: number;
  readonly denials: number;
  readonly days: number;
  readonly timed: number;
}

/** NaN where nothing is known. */
export interface PastShare {
  /** 0..1, smoothed. */
  readonly denialRate: number;
  readonly decisionCount: number;
  /** Mean days from submission to decision, smoothed. */
  readonly decisionDays: number;
}

/** As it stood at `asOf` for the facts of one order. */
export interface PastDecisions {
  /** ISO instant; no decision learned of later is in it. */
  readonly asOf: string;
  /** The decisions are those of a sandbox. */
  readonly simulated?: true;
  readonly levels: Readonly<Record<PastLevel, PastShare>>;
}

/** What is known of an order. `simulated`: its payer is a sandbox, whose decisions are counted apart from all others. */
export type PastSubject = Pick<DenialRiskFacts, 'payerId' | 'serviceFamily' | 'procedure' | 'requesterSpecialty'> & { readonly simulated?: boolean };

/** What the payers' decisions are counted under; null where the order does not say. */
export function pastKeys({ simulated = false, ...subject }: PastSubject): Readonly<Record<PastLevel, string | null>> {
  const keys = namesOf(subject);
  if (!simulated) return keys;
  const apart = Object.entries(keys).map(([level, key]) => [level, key === null ? null : `simulated ${key}`]);
  return Object.fromEntries(apart) as Record<PastLevel, string | null>;
}

function namesOf({ payerId, serviceFamily, procedure = null, requesterSpecialty = null }: PastSubject): Readonly<Record<PastLevel, string | null>> {
  const pair = (a: string | null, b: string | null): string | null => (a === null || b === null ? null : `${a}|${b}`);
  return {
    overall: '',
    payer: payerId,
    service_family: serviceFamily,
    payer_service_family: pair(payerId, serviceFamily),
    procedure,
    specialty: requesterSpecialty,
    payer_procedure: pair(payerId, procedure),
  };
}

/** Past shares for one order. A level that was never met has its wider level's share and count 0; one that the order does not name is unknown. Null before the first decision. */
export function pastDecisionsOf(facts: PastSubject, asOf: string, totalsOf: (level: PastLevel, key: string) => DecisionTotals | undefined): PastDecisions | null {
  const keys = pastKeys(facts);
  const all = totalsOf('overall', keys.overall ?? '');
  if (!all || all.decisions <= 0) return null;
  const overall: PastShare = { denialRate: share(all.denials, all.decisions), decisionCount: all.decisions, decisionDays: all.timed > 0 ? all.days / all.timed : Number.NaN };
  const within = (level: PastLevel, wider: PastShare): PastShare => {
    const key = keys[level];
    return key === null ? UNKNOWN : drawn(totalsOf(level, key), wider);
  };
  const payer = within('payer', overall);
  return {
    asOf,
    ...(facts.simulated ? { simulated: true } : {}),
    levels: {
      overall,
      payer,
      service_family: within('service_family', overall),
      payer_service_family: within('payer_service_family', payer),
      procedure: within('procedure', overall),
      specialty: within('specialty', overall),
      payer_procedure: within('payer_procedure', payer),
    },
  };
}

const UNKNOWN: PastShare = { denialRate: Number.NaN, decisionCount: Number.NaN, decisionDays: Number.NaN };

function drawn(totals: DecisionTotals | undefined, wider: PastShare): PastShare {
  const { decisions, denials, days, timed } = totals ?? { decisions: 0, denials: 0, days: 0, timed: 0 };
  const count = Math.max(0, decisions);
  return {
    denialRate: (Math.min(Math.max(denials, 0), count) + SMOOTHING_DECISIONS * wider.denialRate) / (count + SMOOTHING_DECISIONS),
    decisionCount: count,
    decisionDays: Number.isNaN(wider.decisionDays) ? Number.NaN : (Math.max(0, days) + SMOOTHING_DECISIONS * wider.decisionDays) / (Math.max(0, timed) + SMOOTHING_DECISIONS),
  };
}

function share(part: number, whole: number): number {
  return Math.min(1, Math.max(0, part / whole));
}
