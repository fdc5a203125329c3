import type { Language } from '../language.ts';
import { STATE_VOCABULARY } from '../state-vocabulary.ts';
import { DECISION_VOCABULARY, type DecisionVocabulary } from './decision-vocabulary.ts';
import type { AuthorizedDetail, ItemDecision, PayerDecision, Period } from './decision.ts';

/** A decision in plain words, the same on every screen. `tone` picks the colour: only `good` is green, and only an approval of every item is `good`. */
export interface DecisionWords {
  readonly tone: 'good' | 'mixed' | 'bad' | 'waiting' | 'unknown';
  readonly headline: string;
  readonly items: readonly { readonly sequence: number; readonly tone: DecisionWords['tone']; readonly text: string; readonly details: readonly string[] }[];
  readonly nextStep: string;
  /** Who entered it, and how it was learned: the payer's system has not said so. */
  readonly entered?: string;
}

const OVERALL_TONE: { readonly [O in PayerDecision['overall']]: DecisionWords['tone'] } = {
  approved: 'good', modified: 'mixed', 'partly-approved': 'mixed', denied: 'bad', pended: 'waiting', error: 'unknown', unreadable: 'unknown',
};

const ITEM_TONE: { readonly [K in ItemDecision['kind']]: DecisionWords['tone'] } = { approved: 'good', modified: 'mixed', denied: 'bad', pended: 'waiting', unreadable: 'unknown' };

/** Says a decision in plain words of one language. */
export function sayDecision(decision: PayerDecision, language: Language = 'en'): DecisionWords {
  const words = DECISION_VOCABULARY[language];
  const entered = decision.entered && STATE_VOCABULARY[language].entered(decision.entered.by.name, decision.entered.learnedBy);
  return {
    tone: OVERALL_TONE[decision.overall],
    ...words.overall[decision.overall],
    items: decision.items.map(({ sequence, decision: item, addedByPayer }) => ({
      sequence,
      tone: ITEM_TONE[item.kind],
      text: words.item[item.kind],
      details: [
        ...(entered ? [entered] : []),
        ...(addedByPayer ? [words.addedByPayer] : []),
        ...detailsOf(item, words),
        ...(sequence === decision.items[0]?.sequence ? ofWhole(decision, words) : []),
      ],
    })),
    ...(entered ? { entered } : {}),
  };
}

/** What is about the whole answer is said with its first item. */
function ofWhole({ errors, review }: PayerDecision, words: DecisionVocabulary): string[] {
  return [...errors.map(({ code, text }) => words.payerError(code, text)), ...(review ? [words.reviewed(review.byHuman, review.specialty)] : [])];
}

function detailsOf(item: ItemDecision, words: DecisionVocabulary): string[] {
  switch (item.kind) {
    case 'approved':
    case 'modified':
      return [
        ...(item.authorizationNumber ? [words.authorizationNumber(item.authorizationNumber)] : []),
        ...authorizedWords(item.authorized, words),
        ...(item.providers ? [words.authorizedProviders(item.providers)] : []),
        ...validityWords(item.validity, words),
        ...(item.kind === 'modified' ? item.explanation : []),
      ];
    case 'denied':
      return [...item.explanation, ...(item.reasonCodes.length > 0 ? [words.reasonCodes(item.reasonCodes)] : [])];
    case 'pended':
      return [...(item.administrativeReference ? [words.payerReference(item.administrativeReference)] : []), ...item.explanation];
    case 'unreadable':
      return [words.unreadable[item.why], ...(item.reviewActionCode ? [words.reviewActionCode(item.reviewActionCode)] : []), ...item.explanation];
  }
}

function authorizedWords(authorized: AuthorizedDetail | undefined, words: DecisionVocabulary): string[] {
  if (!authorized) return [];
  const { quantity, code, unitPrice } = authorized;
  return [...(quantity?.value === undefined ? [] : [words.authorizedQuantity(quantity.value, quantity.unit)]), ...(code?.code === undefined ? [] : [words.authorizedCode(code.code)]), ...(unitPrice ? [words.unitPrice(unitPrice.value, unitPrice.currency)] : [])];
}

function validityWords(validity: Period | undefined, words: DecisionVocabulary): string[] {
  const [start, end] = [validity?.start?.slice(0, 10), validity?.end?.slice(0, 10)];
  return start === undefined && end === undefined ? [] : [words.valid(start, end)];
}
