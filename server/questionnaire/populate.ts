import type { EvidenceReference } from '#prior-auth/coverage-requirement/requirement.ts';
import { isRecord } from '#prior-auth/questionnaire/answer-value.ts';
import type { PopulatedValue } from '#prior-auth/questionnaire/prepopulate.ts';
import { isCql, type ItemExpression, itemExpressions } from './form-expressions.ts';
import { type Engine, populateCql } from './populate-cql.ts';
import { populateFhirPath } from './populate-fhirpath.ts';
import type { PopulateInput, Population, PopulationFailure } from './population.ts';

/** Computes what the record says for each question. One failed expression leaves its question to a person; the others stand. */
export async function populate(input: PopulateInput, engine: Engine): Promise<Population> {
  const expressions = itemExpressions(input.package.questionnaire);
  const cqlItems = expressions.filter(({ expression }) => isCql(expression));
  const fhirPathItems = expressions.filter(({ expression }) => expression.language === 'text/fhirpath');
  const unknown = expressions.filter((item) => !cqlItems.includes(item) && !fhirPathItems.includes(item));
  const [cql, fhirPath] = await Promise.all([populateCql(input, cqlItems, engine), populateFhirPath(input, fhirPathItems, engine)]);

  const values: Record<string, PopulatedValue> = {};
  for (const results of [cql, fhirPath]) {
    for (const [linkId, found] of results.values) {
      values[linkId] = { values: found, sources: found.length > 0 ? evidenceOf(results.evidence.get(linkId) ?? []) : [] };
    }
  }
  const failures = [
    ...cql.failures, ...fhirPath.failures,
    ...unknown.map(({ linkId, expression }): PopulationFailure => ({ linkId, expression: expression.language ?? '', kind: 'language-unknown' })),
  ];
  return { values, warnings: warningsOf(failures, expressions), failures, ...(cql.mode ? { cqlMode: cql.mode } : {}) };
}

function evidenceOf(results: readonly unknown[]): EvidenceReference[] {
  const references = results.flatMap((result): EvidenceReference[] => {
    if (!isRecord(result)) return [];
    const { resourceType, id } = result;
    if (typeof resourceType !== 'string' || typeof id !== 'string') return [];
    const date = dateOf(result);
    return [{ reference: `${resourceType}/${id}`, display: displayOf(result, resourceType), ...(date ? { date } : {}) }];
  });
  return [...new Map(references.map((one) => [one.reference, one])).values()];
}

function displayOf(resource: Record<string, unknown>, otherwise: string): string {
  for (const key of ['code', 'codeCodeableConcept', 'medicationCodeableConcept', 'type', 'vaccineCode']) {
    const concept = Array.isArray(resource[key]) ? (resource[key] as unknown[])[0] : resource[key];
    if (!isRecord(concept)) continue;
    const coding: unknown = Array.isArray(concept['coding']) ? concept['coding'][0] : undefined;
    const words = concept['text'] ?? (isRecord(coding) ? coding['display'] ?? coding['code'] : undefined);
    if (typeof words === 'string' && words.trim()) return words.trim();
  }
  return otherwise;
}

function dateOf(resource: Record<string, unknown>): string | undefined {
  for (const key of ['effectiveDateTime', 'performedDateTime', 'onsetDateTime', 'recordedDate', 'authoredOn', 'issued', 'date']) {
    const value = resource[key];
    if (typeof value === 'string') return value;
  }
  for (const key of ['effectivePeriod', 'performedPeriod', 'period']) {
    const period = resource[key];
    if (isRecord(period) && typeof period['start'] === 'string') return period['start'];
  }
  return undefined;
}

const REASONS: Readonly<Record<PopulationFailure['kind'], string>> = {
  syntax: 'the payer’s rule cannot be read',
  runtime: 'the payer’s rule failed',
  'time-limit': 'the payer’s rule took too long',
  'value-set-missing': 'the payer did not send a list of codes that its rule needs',
  'library-missing': 'the payer did not send the rule that the question names',
  'data-unavailable': 'the record could not be read',
  'language-unknown': 'the payer’s rule is in a language that is not known here',
};

function warningsOf(failures: readonly PopulationFailure[], expressions: readonly ItemExpression[]): string[] {
  const labels = new Map(expressions.map(({ linkId, label }) => [linkId, label]));
  return [...new Set(failures.map(({ linkId, kind, expression }) => {
    const label = linkId === undefined ? undefined : labels.get(linkId);
    if (label) return `“${label}” was not filled in: ${REASONS[kind]}.`;
    return kind === 'data-unavailable' ? `${expression}: ${REASONS[kind]}.` : `Not everything could be filled in: ${REASONS[kind]}.`;
  }))];
}
