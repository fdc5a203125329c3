import { isRecord } from '#prior-auth/questionnaire/answer-value.ts';

/** What an engine gave, as plain JSON values: lists flattened, nulls left out, dates as ISO text, CQL codes and quantities as FHIR's. */
export function plainResults(result: unknown): unknown[] {
  if (result === null || result === undefined) return [];
  if (Array.isArray(result)) return result.flatMap(plainResults);
  if (typeof result !== 'object') return [result];
  const value = result as Record<string, unknown>;
  if (value['isDate'] === true || value['isDateTime'] === true || value['isTime'] === true) return [textOf(value)];
  // A FHIR element of cql-exec-fhir keeps its JSON in this hidden property.
  if (typeof value['getTypeInfo'] === 'function') return plainResults(value['_json']);
  if (value['isQuantity'] === true) return [{ value: value['value'], unit: value['unit'], code: value['unit'], system: 'http://unitsofmeasure.org' }];
  if (value['isCode'] === true) return [codingOf(value)];
  if (value['isConcept'] === true) {
    const codes = Array.isArray(value['codes']) ? value['codes'].filter(isRecord).map(codingOf) : [];
    return [{ coding: codes, ...(typeof value['display'] === 'string' ? { text: value['display'] } : {}) }];
  }
  return [JSON.parse(JSON.stringify(result)) as unknown];
}

/** CQL's own dates write themselves as ISO 8601. */
function textOf(value: { toString(): string }): string {
  return value.toString();
}

function codingOf({ system, code, display }: Record<string, unknown>): object {
  return { ...(system ? { system } : {}), code, ...(display ? { display } : {}) };
}
