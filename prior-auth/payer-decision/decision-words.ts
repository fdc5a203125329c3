import type { AuthorizedDetail, ItemDecision, PayerDecision, Period } from './decision.ts';

/** A decision in plain words, the same on every screen. `tone` picks the colour: only `good` is green, and only an approval of every item is `good`. */
export interface DecisionWords {
  readonly tone: 'good' | 'mixed' | 'bad' | 'waiting' | 'unknown';
  readonly headline: string;
  readonly items: readonly { readonly sequence: number; readonly tone: DecisionWords['tone']; readonly text: string; readonly details: readonly string[] }[];
  readonly nextStep: string;
}

/** Says a decision in plain words. */
export type SayDecision = (decision: PayerDecision) => DecisionWords;

const OVERALL: { readonly [O in PayerDecision['overall']]: Pick<DecisionWords, 'tone' | 'headline' | 'nextStep'> } = {
  approved: { tone: 'good', headline: 'Approved', nextStep: 'Go ahead with the order. Keep the authorization number for the claim.' },
  modified: { tone: 'mixed', headline: 'Approved with changes', nextStep: 'Compare what was authorized with what was ordered before going ahead.' },
  'partly-approved': { tone: 'mixed', headline: 'Approved in part', nextStep: 'Go ahead only with the approved items. Read the reasons for the others.' },
  denied: { tone: 'bad', headline: 'Denied', nextStep: 'Read the reason. When the record holds what was missing, sign a new order and send its request. Or ask the payer for a peer-to-peer call, or appeal.' },
  pended: { tone: 'waiting', headline: 'The payer is still deciding', nextStep: 'Nothing to do now: the answer is followed up automatically. Send what the payer asks for, if anything.' },
  error: { tone: 'unknown', headline: 'The payer could not process the request', nextStep: 'Correct what the payer names below and submit again, or call the payer.' },
  unreadable: { tone: 'unknown', headline: 'The payer answered in a way we cannot read', nextStep: 'Do not treat this as an approval. Call the payer and ask for the decision.' },
};

const ITEM: { readonly [K in ItemDecision['kind']]: { readonly tone: DecisionWords['tone']; readonly text: string } } = {
  approved: { tone: 'good', text: 'Approved' },
  modified: { tone: 'mixed', text: 'Approved with changes' },
  denied: { tone: 'bad', text: 'Denied' },
  pended: { tone: 'waiting', text: 'Not decided yet' },
  unreadable: { tone: 'unknown', text: 'No decision that can be read' },
};

export const sayDecision: SayDecision = (decision) => ({
  ...OVERALL[decision.overall],
  items: decision.items.map(({ sequence, decision: item, addedByPayer }) => ({
    sequence,
    ...ITEM[item.kind],
    details: [...(addedByPayer ? ['Added by the payer'] : []), ...detailsOf(item), ...(sequence === decision.items[0]?.sequence ? errorsOf(decision) : [])],
  })),
});

function errorsOf({ errors }: PayerDecision): string[] {
  return errors.map(({ code, text }) => `Payer error ${code}${text ? `: ${text}` : ''}`);
}

function detailsOf(item: ItemDecision): string[] {
  switch (item.kind) {
    case 'approved':
    case 'modified':
      return [
        ...(item.authorizationNumber ? [`Authorization number ${item.authorizationNumber}`] : []),
        ...authorizedWords(item.authorized),
        ...validityWords(item.validity),
        ...(item.kind === 'modified' ? item.explanation : []),
      ];
    case 'denied':
      return [...item.explanation, ...(item.reasonCodes.length > 0 ? [`Reason ${item.reasonCodes.length > 1 ? 'codes' : 'code'} ${item.reasonCodes.join(', ')}`] : [])];
    case 'pended':
      return [...(item.administrativeReference ? [`Payer's reference ${item.administrativeReference}`] : []), ...item.explanation];
    case 'unreadable':
      return [UNREADABLE[item.why], ...(item.reviewActionCode ? [`Review action code ${item.reviewActionCode}`] : []), ...item.explanation];
  }
}

const UNREADABLE: { readonly [W in Extract<ItemDecision, { kind: 'unreadable' }>['why']]: string } = {
  'no-review-action': 'The payer sent no review action for this item',
  'unknown-review-action': 'The payer sent a review action that is not known here',
  'item-missing': 'The payer said nothing about this item',
};

function authorizedWords(authorized: AuthorizedDetail | undefined): string[] {
  if (!authorized) return [];
  const { quantity, code } = authorized;
  return [...(quantity ? [`Authorized: ${quantity.value}${quantity.unit ? ` ${quantity.unit}` : ''}`] : []), ...(code ? [`Authorized code ${code.code}`] : [])];
}

function validityWords(validity: Period | undefined): string[] {
  const { start, end } = validity ?? {};
  if (start && end) return [`Valid from ${start.slice(0, 10)} to ${end.slice(0, 10)}`];
  if (start) return [`Valid from ${start.slice(0, 10)}`];
  return end ? [`Valid until ${end.slice(0, 10)}`] : [];
}
