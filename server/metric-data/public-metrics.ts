import type { MetricItem, PasMetricData } from '#fhir/pas/metric-data.ts';

/** CMS-0057-F's public figures (42 CFR 422.122(c) and its likes) of standard or of expedited requests. Shares are of the decided ones, 0 to 1; null where there are none. */
export interface PublicFigures {
  readonly requests: number;
  readonly decided: number;
  readonly approved: number;
  readonly denied: number;
  readonly partlyApproved: number;
  readonly cancelled: number;
  readonly pending: number;
  readonly approvedShare: number | null;
  readonly deniedShare: number | null;
  readonly approvedAfterAppeal: number;
  readonly approvedAfterAppealShare: number | null;
  readonly extendedThenApproved: number;
  readonly extendedThenApprovedShare: number | null;
  /** From first submission to final answer, hours. */
  readonly meanHours: number | null;
  readonly medianHours: number | null;
  readonly withinTimeShare: number | null;
  /** Of all requests: the first answer was not final; the payer wanted more. */
  readonly pendedShare: number | null;
  readonly moreWantedShare: number | null;
}

export interface PublicMetrics {
  readonly standard: PublicFigures;
  readonly expedited: PublicFigures;
  /** Billing codes asked for, most often first: the list of what needs authorization, as it was met. */
  readonly items: readonly { readonly code: string; readonly requests: number; readonly denied: number }[];
}

type Outcome = 'approved' | 'denied' | 'partly' | 'cancelled' | 'pending';

interface Counted {
  readonly record: PasMetricData;
  readonly outcome: Outcome;
  readonly hours: number | undefined;
  readonly isLate: boolean;
}

export function publicMetrics(records: readonly PasMetricData[]): PublicMetrics {
  const counted = records.map(count);
  const of = (priority: PasMetricData['review']['priority']) => figuresOf(counted.filter(({ record }) => record.review.priority === priority));
  return { standard: of('standard'), expedited: of('expedited'), items: itemsOf(records) };
}

function count(record: PasMetricData): Counted {
  const items = record.itemDetail ?? [];
  const submitted = earliest(items.map(({ initialSubmissionTime }) => initialSubmissionTime));
  const ended = latest(items.map(({ finalResponseTime }) => finalResponseTime));
  const outcome = outcomeOf(items);
  const isDecided = outcome !== 'pending' && outcome !== 'cancelled';
  return {
    record,
    outcome,
    hours: isDecided && submitted !== undefined && ended !== undefined ? Math.max(0, ended - submitted) / 3_600_000 : undefined,
    isLate: isDecided && ended !== undefined && record.review.dueTime !== undefined && ended > Date.parse(record.review.dueTime),
  };
}

function outcomeOf(items: readonly MetricItem[]): Outcome {
  const asked = items.filter(({ result }) => result !== 'cancelled');
  if (items.length > 0 && asked.length === 0) return 'cancelled';
  const approved = asked.filter(({ result }) => result === 'approved' || result === 'modified').length;
  const denied = asked.filter(({ result }) => result === 'denied').length;
  if (asked.length === 0 || approved + denied < asked.length) return 'pending';
  return denied === 0 ? 'approved' : approved === 0 ? 'denied' : 'partly';
}

function figuresOf(counted: readonly Counted[]): PublicFigures {
  const of = (...outcomes: readonly Outcome[]) => counted.filter(({ outcome }) => outcomes.includes(outcome));
  const decided = of('approved', 'denied', 'partly');
  const appealed = of('approved', 'partly').filter(({ record }) => record.review.approvedAfterAppeal);
  const extended = of('approved', 'partly').filter(({ isLate }) => isLate);
  const hours = decided.flatMap((each) => each.hours ?? []).sort((a, b) => a - b);
  const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
  return {
    requests: counted.length,
    decided: decided.length,
    approved: of('approved').length,
    denied: of('denied').length,
    partlyApproved: of('partly').length,
    cancelled: of('cancelled').length,
    pending: of('pending').length,
    approvedShare: share(of('approved').length, decided.length),
    deniedShare: share(of('denied').length, decided.length),
    approvedAfterAppeal: appealed.length,
    approvedAfterAppealShare: share(appealed.length, decided.length),
    extendedThenApproved: extended.length,
    extendedThenApprovedShare: share(extended.length, decided.length),
    meanHours: hours.length === 0 ? null : hours.reduce((sum, each) => sum + each, 0) / hours.length,
    medianHours: median(hours),
    withinTimeShare: share(decided.filter(({ isLate }) => !isLate).length, decided.length),
    pendedShare: share(counted.filter(({ record }) => (record.itemDetail ?? []).some(({ responsesRequired = 0 }) => responsesRequired > 1)).length, counted.length),
    moreWantedShare: share(counted.filter(({ record }) => (record.requestedDoc ?? []).length > 0).length, counted.length),
  };
}

function median(sorted: readonly number[]): number | null {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

function itemsOf(records: readonly PasMetricData[]): PublicMetrics['items'] {
  const items = new Map<string, { requests: number; denied: number }>();
  for (const { item, result } of records.flatMap(({ itemDetail = [] }) => itemDetail)) {
    const code = item.coding?.[0]?.code ?? 'unknown';
    const known = items.get(code) ?? { requests: 0, denied: 0 };
    items.set(code, { requests: known.requests + 1, denied: known.denied + (result === 'denied' ? 1 : 0) });
  }
  return [...items].map(([code, numbers]) => ({ code, ...numbers })).sort((a, b) => b.requests - a.requests || a.code.localeCompare(b.code));
}

const instants = (texts: readonly (string | undefined)[]): number[] => texts.flatMap((text) => (text === undefined || Number.isNaN(Date.parse(text)) ? [] : [Date.parse(text)]));
const earliest = (texts: readonly (string | undefined)[]): number | undefined => (instants(texts).length === 0 ? undefined : Math.min(...instants(texts)));
const latest = (texts: readonly (string | undefined)[]): number | undefined => (instants(texts).length === 0 ? undefined : Math.max(...instants(texts)));

/** For people; null is "none". */
export function publicTable({ standard, expedited, items }: PublicMetrics): string {
  const number = (value: number | null, digits = 0) => (value === null ? 'none' : value.toFixed(digits));
  const percent = (value: number | null) => (value === null ? 'none' : `${(value * 100).toFixed(1)} %`);
  const rows: readonly (readonly [string, (figures: PublicFigures) => string])[] = [
    ['requests', ({ requests }) => number(requests)],
    ['decided', ({ decided }) => number(decided)],
    ['approved', ({ approved, approvedShare }) => `${approved} (${percent(approvedShare)})`],
    ['denied', ({ denied, deniedShare }) => `${denied} (${percent(deniedShare)})`],
    ['partly approved', ({ partlyApproved }) => number(partlyApproved)],
    ['approved after appeal', ({ approvedAfterAppeal, approvedAfterAppealShare }) => `${approvedAfterAppeal} (${percent(approvedAfterAppealShare)})`],
    ['late or extended, then approved', ({ extendedThenApproved, extendedThenApprovedShare }) => `${extendedThenApproved} (${percent(extendedThenApprovedShare)})`],
    ['mean time, hours', ({ meanHours }) => number(meanHours, 2)],
    ['median time, hours', ({ medianHours }) => number(medianHours, 2)],
    ['decided within the legal time', ({ withinTimeShare }) => percent(withinTimeShare)],
    ['pended first', ({ pendedShare }) => percent(pendedShare)],
    ['more information wanted', ({ moreWantedShare }) => percent(moreWantedShare)],
    ['cancelled', ({ cancelled }) => number(cancelled)],
    ['not decided yet', ({ pending }) => number(pending)],
  ];
  return [
    `${''.padEnd(34)}${'standard'.padStart(18)}${'expedited'.padStart(18)}`,
    ...rows.map(([name, say]) => `${name.padEnd(34)}${say(standard).padStart(18)}${say(expedited).padStart(18)}`),
    '',
    `${'item'.padEnd(34)}${'requests'.padStart(18)}${'denied'.padStart(18)}`,
    ...items.map(({ code, requests, denied }) => `${code.padEnd(34)}${String(requests).padStart(18)}${String(denied).padStart(18)}`),
  ].join('\n');
}
