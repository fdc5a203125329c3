import type { Bundle, ClaimItem, Resource } from '@medplum/fhirtypes';
import { decideBy } from '../clock.ts';
import { faultFacts } from '../fault.ts';
import type { PayerSetting } from '../payer-setting.ts';
import { PayerError } from '../payer-error.ts';
import { type DecidedBy, decideOnArrival, type ItemReview, type Verdict } from '../policy/item-review.ts';
import { reviewItem } from '../policy/review-item.ts';
import type { BusinessError } from './build-answer.ts';
import { cancelItem, type ItemDecision, putInForce, toDay } from './item-decision.ts';
import { isCancelled, isChanged, isExpedited, type RequestChange } from './read-change.ts';
import { type PasRequest, pasRequestOf } from './read-request.ts';

export interface PlannedItem {
  readonly sequence: number;
  readonly review: ItemReview;
  readonly decision: ItemDecision;
  /** When the sandbox's stand-in decides; null leaves it to a person. */
  readonly dueAt: string | null;
  readonly decideBy: string;
  readonly expedited: boolean;
}

/** An item as the case before has it. */
export interface PriorItem extends PlannedItem {
  readonly asked: ClaimItem | undefined;
}

export interface PriorRequest {
  readonly items: readonly PriorItem[];
  /** What came under the control numbers of its asks. */
  readonly attachments: readonly Resource[];
}

export type Plan =
  /** `request`: with the items that the sender left out where it may. */
  | { readonly kind: 'decided'; readonly request: PasRequest; readonly items: readonly PlannedItem[] }
  | { readonly kind: 'refused'; readonly error: BusinessError };

const CLAIM = 'Bundle.entry[0].resource';

/** Each item of a new request, decided one by one. */
export function planNew(setting: PayerSetting, request: PasRequest, epochMs: number): readonly PlannedItem[] {
  return (request.claim.item ?? []).map((item) => decideItem(setting, request, item, { epochMs }));
}

/**
 * What an update makes of the case before: what was taken back is cancelled, what changed is decided anew under its old numbers, what is pended is weighed
 * again with what came, and the rest stands.
 * @throws PayerError 422 for an update that leaves items out where it may not
 */
export function planUpdate(setting: PayerSetting, sent: PasRequest, change: Extract<RequestChange, { kind: 'update' }>, { items: prior, attachments }: PriorRequest, epochMs: number): Plan {
  const standing = prior.filter(({ decision }) => decision.kind !== 'cancelled');
  if (standing.length > 0 && standing.every(({ decision }) => decision.kind === 'denied')) {
    return refused('33', 'N', 'This request was denied. A denied request takes no update: send a new request.', `${CLAIM}.related`);
  }
  const request = withItemsLeftOut(sent, change, prior);
  const items = request.claim.item ?? [];
  const denied = items.findIndex((item) => {
    const before = prior.find(({ sequence }) => sequence === item.sequence);
    return before?.decision.kind === 'denied' && before.asked && !change.cancelsAll && !isCancelled(item) && isChanged(item, before.asked);
  });
  if (denied >= 0) return refused('33', 'N', 'An item that was denied takes no change: ask for it in a new request.', `${CLAIM}.item[${denied}]`);
  return {
    kind: 'decided',
    request,
    items: items.map((item): PlannedItem => {
      const before = prior.find(({ sequence }) => sequence === item.sequence);
      if (!before) return decideItem(setting, request, item, { epochMs, attachments });
      if (before.decision.kind === 'cancelled') return before;
      if (change.cancelsAll || isCancelled(item)) return { ...before, decision: cancelItem(before.decision), dueAt: null };
      const changed = !before.asked || isChanged(item, before.asked);
      if (!changed && before.decision.kind !== 'pended') return before;
      return decideItem(setting, request, item, { epochMs, attachments, before: before.decision, ...(changed ? {} : { clock: before }) });
    }),
  };
}

interface DecidingInput {
  readonly epochMs: number;
  readonly before?: ItemDecision;
  readonly attachments?: readonly Resource[];
  /** The legal clock that runs already. */
  readonly clock?: Pick<PlannedItem, 'decideBy' | 'expedited' | 'dueAt'>;
}

function decideItem(setting: PayerSetting, request: PasRequest, item: ClaimItem, { epochMs, before, clock, attachments }: DecidingInput): PlannedItem {
  const review = weighItem(setting, request, item, epochMs, attachments);
  const verdict = decideOnArrival(review, setting.decisions);
  const expedited = clock?.expedited ?? isExpedited(request.claim);
  return {
    sequence: item.sequence ?? 0,
    review,
    decision: putInForce(verdict, item, epochMs, { before, by: decidedBy(verdict) }),
    dueAt: verdict.kind === 'pend' && verdict.timed && setting.decisions.sandboxDecisions ? (clock?.dueAt ?? new Date(epochMs + setting.reviewDelayMs).toISOString()) : null,
    decideBy: clock?.decideBy ?? new Date(decideBy(epochMs, expedited, setting.timeZone)).toISOString(),
    expedited,
  };
}

/** Holds the request, and what came after it, against the policy in force today. */
export function weighItem(setting: PayerSetting, request: PasRequest, item: ClaimItem, epochMs: number, attachments: readonly Resource[] = []): ItemReview {
  return reviewItem(request, item, {
    policies: setting.policies,
    day: toDay(epochMs),
    attachments,
    onFault: (policyId, criterionId, error) => setting.log.error({ policyId, criterionId, fault: faultFacts(error) }, 'a policy expression failed'),
  });
}

/** A policy's own criteria approve; only a rule of the sandbox refuses or takes away. */
export function decidedBy({ kind }: Verdict): DecidedBy {
  return kind === 'deny' || kind === 'modify' ? 'sandbox-rule' : 'policy';
}

function refused(code: string, followUp: BusinessError['followUp'], text: string, path: string): Plan {
  return { kind: 'refused', error: { code, followUp, text, path } };
}

/** A differential update, and one that cancels everything, may leave items out; the case keeps all of them. */
function withItemsLeftOut(sent: PasRequest, { isDifferential, cancelsAll }: Extract<RequestChange, { kind: 'update' }>, prior: readonly PriorItem[]): PasRequest {
  const present = new Set(sent.claim.item?.map(({ sequence }) => sequence));
  const missing = prior.flatMap(({ sequence, asked }) => (asked && !present.has(sequence) ? [asked] : []));
  if (missing.length === 0) return sent;
  if (!isDifferential && !cancelsAll) {
    throw new PayerError(422, { code: 'business-rule', text: `An update repeats every earlier item under its sequence. Missing: ${missing.map(({ sequence }) => sequence).join(', ')}. Mark what is taken back with infoCancelled.`, expression: `${CLAIM}.item` });
  }
  const item = [...missing, ...(sent.claim.item ?? [])].sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
  const { meta: _meta, ...claim } = sent.claim;
  const [first, ...others] = sent.bundle.entry ?? [];
  const bundle: Bundle = { ...sent.bundle, entry: [{ ...first, resource: { ...claim, item } }, ...others] };
  return pasRequestOf(bundle);
}
