import type { Coding, Quantity, QuestionnaireItemEnableWhen } from '@medplum/fhirtypes';
import { isRecord } from './answer-value.ts';

/** The eleven types an enableWhen answer may have, read as one value. */
function expectedOf(when: QuestionnaireItemEnableWhen): unknown {
  return when.answerBoolean ?? when.answerDecimal ?? when.answerInteger ?? when.answerDate ?? when.answerDateTime ?? when.answerTime
    ?? when.answerString ?? when.answerCoding ?? when.answerQuantity ?? when.answerReference;
}

/**
 * R4 questionnaire-enable-operator. `exists` compares presence with answerBoolean; `!=` holds when no answer is equal, so also when there is none;
 * the others hold when at least one answer compares so (R4 words the orderings with "no", an error corrected in R5).
 */
export function enableWhenHolds(when: QuestionnaireItemEnableWhen, answers: readonly unknown[]): boolean {
  const expected = expectedOf(when);
  switch (when.operator) {
    case 'exists': return (answers.length > 0) === (expected !== false);
    case '=': return answers.some((answer) => isEqual(answer, expected));
    case '!=': return !answers.some((answer) => isEqual(answer, expected));
    case '>': return answers.some((answer) => (compare(answer, expected) ?? 0) > 0);
    case '<': return answers.some((answer) => (compare(answer, expected) ?? 0) < 0);
    case '>=': return answers.some((answer) => (compare(answer, expected) ?? -1) >= 0);
    case '<=': return answers.some((answer) => (compare(answer, expected) ?? 1) <= 0);
    default: return false;
  }
}

function isEqual(answer: unknown, expected: unknown): boolean {
  if (isCoding(answer) && isCoding(expected)) {
    return answer.code === expected.code && (answer.system === undefined || expected.system === undefined || answer.system === expected.system);
  }
  if (isRecord(answer) && isRecord(expected) && 'reference' in expected) return answer['reference'] === expected['reference'];
  return compare(answer, expected) === 0;
}

/** undefined: not comparable (different units, precisions or types), so no ordering holds. */
function compare(answer: unknown, expected: unknown): number | undefined {
  if (typeof answer === 'boolean' && typeof expected === 'boolean') return Number(answer) - Number(expected);
  if (typeof answer === 'number' && typeof expected === 'number') return answer - expected;
  if (typeof answer === 'string' && typeof expected === 'string') return compareTexts(answer, expected);
  if (isQuantity(answer) && isQuantity(expected)) {
    const unit = (quantity: Quantity) => quantity.code ?? quantity.unit;
    return unit(answer) === unit(expected) ? (answer.value ?? 0) - (expected.value ?? 0) : undefined;
  }
  return undefined;
}

const DATE_TIME = /^\d{4}(-\d{2}(-\d{2}(T.+)?)?)?$/;

/** Dates are compared as calendar text, never through the machine's zone; instants with an offset are compared as instants. */
function compareTexts(a: string, b: string): number | undefined {
  if (DATE_TIME.test(a) && DATE_TIME.test(b)) {
    if (a.includes('T') && b.includes('T')) return Date.parse(a) - Date.parse(b);
    const length = Math.min(a.split('T')[0]?.length ?? 0, b.split('T')[0]?.length ?? 0);
    const order = orderOf(a.slice(0, length), b.slice(0, length));
    return order === 0 && a.length !== b.length ? undefined : order;
  }
  return orderOf(a, b);
}

function orderOf(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isCoding(value: unknown): value is Coding {
  return isRecord(value) && typeof value['code'] === 'string' && !('value' in value);
}

function isQuantity(value: unknown): value is Quantity {
  return isRecord(value) && typeof value['value'] === 'number';
}
