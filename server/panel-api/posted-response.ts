import type { QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { VALUE_KEYS } from '#prior-auth/questionnaire/answer-value.ts';
import { isStorable } from '#store/storable-text.ts';
import type { Session } from '../smart/sessions.ts';

const DEEPEST = 50;

const TYPE_OF_VALUE: Readonly<Record<(typeof VALUE_KEYS)[number], 'boolean' | 'number' | 'string' | 'object'>> = {
  valueBoolean: 'boolean', valueDecimal: 'number', valueInteger: 'number',
  valueDate: 'string', valueDateTime: 'string', valueTime: 'string', valueString: 'string', valueUri: 'string',
  valueAttachment: 'object', valueCoding: 'object', valueQuantity: 'object', valueReference: 'object',
};

/** Takes a person's answers and nothing else from what the screen sent: whose form it is, which form, and for what, stay as stored. Throws REQUEST_INVALID. */
export function takeAnswers(stored: QuestionnaireResponse, posted: { readonly resourceType: 'QuestionnaireResponse'; readonly [element: string]: unknown }, user: Session['user'], authored: string): QuestionnaireResponse {
  const { item: _item, ...root } = stored;
  const item = posted['item'] === undefined ? [] : readItems(posted['item'], 'response.item', 0);
  checkText(item, 0);
  return { ...root, status: 'in-progress', authored, author: { reference: user.reference, display: user.name }, ...(item.length > 0 ? { item } : {}) };
}

function readItems(value: unknown, path: string, depth: number): QuestionnaireResponseItem[] {
  if (depth > DEEPEST) throw invalid(path, 'nested too deeply');
  return listOf(value, path).map((item, index) => {
    const at = `${path}[${index}]`;
    if (typeof item['linkId'] !== 'string' || item['linkId'] === '') throw invalid(`${at}.linkId`, 'must be a string');
    if (item['item'] !== undefined) readItems(item['item'], `${at}.item`, depth + 1);
    if (item['answer'] !== undefined) {
      for (const [answerIndex, answer] of listOf(item['answer'], `${at}.answer`).entries()) {
        for (const [key, type] of Object.entries(TYPE_OF_VALUE)) {
          if (answer[key] !== undefined && (answer[key] === null || typeof answer[key] !== type)) throw invalid(`${at}.answer[${answerIndex}].${key}`, `must be ${type}`);
        }
        if (answer['item'] !== undefined) readItems(answer['item'], `${at}.answer[${answerIndex}].item`, depth + 1);
        if (answer['extension'] !== undefined) listOf(answer['extension'], `${at}.answer[${answerIndex}].extension`);
      }
    }
    if (item['extension'] !== undefined) listOf(item['extension'], `${at}.extension`);
    return { ...item, linkId: item['linkId'] };
  });
}

/** Elements that are not read here are stored all the same. */
function checkText(value: unknown, depth: number): void {
  if (depth > DEEPEST * 4) throw invalid('response.item', 'nested too deeply');
  if (typeof value === 'string' && !isStorable(value)) throw invalid('response.item', 'text must be well-formed Unicode without the character U+0000');
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    checkText(key, depth);
    checkText(child, depth + 1);
  }
}

function listOf(value: unknown, path: string): Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(value)) throw invalid(path, 'must be a list');
  return value.map((entry: unknown, index) => {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) throw invalid(`${path}[${index}]`, 'must be an object');
    return entry as Readonly<Record<string, unknown>>;
  });
}

function invalid(path: string, why: string): PriorAuthError {
  return new PriorAuthError('REQUEST_INVALID', `${path}: ${why}`, { nextStep: 'Reload the panel.' });
}
