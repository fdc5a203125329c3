import type { Questionnaire } from '@medplum/fhirtypes';
import { computedElement, type ComputedElements } from '#prior-auth/questionnaire/computed-elements.ts';
import { type ItemDefinition, readDefinitions } from '#prior-auth/questionnaire/item-definition.ts';
import type { PopulatedValue } from '#prior-auth/questionnaire/prepopulate.ts';
import { evidenceOf } from './evidence.ts';
import { namesUsed } from './expression-frames.ts';
import { flattenScopes, type FormExpression, isCql, isQuery, type NameRepeated, readScopes } from './form-expressions.ts';
import { offersOf } from './offers.ts';
import { type Engine, populateCql } from './populate-cql.ts';
import { populateFhirPath } from './populate-fhirpath.ts';
import type { PopulateInput, Population, PopulationFailure, PopulationFailureKind } from './population.ts';
import { openReader } from './read-records.ts';
import { earlyQuery } from './record-queries.ts';

/** Computes what the record says for each question. One failed expression leaves its question to a person; the others stand. */
export async function populate(input: PopulateInput, engine: Engine): Promise<Population> {
  const { questionnaire, valueSets } = input.package;
  const repeated: NameRepeated[] = [];
  const root = readScopes(questionnaire, repeated);
  const expressions = flattenScopes(root).flatMap((scope) => scope.expressions);
  const readFailures: PopulationFailure[] = [];
  const reader = openReader({ ehr: input.ehr, patient: input.launch.patient.id ?? '', limitMs: engine.readLimitMs, failures: readFailures, onProgress: input.onProgress });
  const [cql] = await Promise.all([
    populateCql(input, expressions.filter(({ expression }) => isCql(expression)), engine, reader),
    // Read while the CQL runs; the reader keeps what it read.
    ...expressions.flatMap(({ expression }) => (isQuery(expression) ? [earlyQuery(expression.expression ?? '', input.launch, reader)] : [])),
  ]);
  const fhirPath = await populateFhirPath(input, root, cql, engine, reader);

  const values: Record<string, PopulatedValue> = {};
  const elements: Record<string, ComputedElements> = {};
  for (const { expression: { purpose, linkId = '' }, key, values: found, evidence } of fhirPath.outcomes) {
    if (purpose.kind === 'initial') values[key] = { values: found, sources: found.length > 0 ? evidenceOf(evidence) : [] };
    if (purpose.kind === 'element') Object.assign((elements[linkId] ??= {}), computedElement(purpose.element, found[0]));
  }
  const failures = [
    ...repeated.map(({ linkId, name }): PopulationFailure => ({ ...(linkId === undefined ? {} : { linkId }), expression: `%${name}`, kind: 'name-repeated' })),
    ...readFailures, ...cql.failures, ...fhirPath.failures,
  ];
  return {
    values, rows: fhirPath.rows, elements, failures,
    offers: offersOf(fhirPath.outcomes, definitionsOf(readDefinitions(questionnaire, valueSets))),
    variables: neededOnScreen(questionnaire, fhirPath.named),
    warnings: warningsOf(failures, expressions),
    ...(cql.mode ? { cqlMode: cql.mode } : {}),
  };
}

function definitionsOf(definitions: readonly ItemDefinition[]): Map<string, ItemDefinition> {
  return new Map(definitions.flatMap(function flat(definition): [string, ItemDefinition][] {
    return [[definition.linkId, definition], ...definition.items.flatMap(flat)];
  }));
}

/** What is sent along with a form; beyond it the expressions that need it are left to a person. */
const MOST_CHARACTERS_OF_VARIABLES = 500_000;

/** The names that any expression of the form uses, for the screen runs some of them again. Those that only the server's own run used do no harm. */
function neededOnScreen(questionnaire: Questionnaire, named: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const running = JSON.stringify(questionnaire, (key, value: unknown) => (key === 'valueExpression' && isInitial(value) ? undefined : value));
  const used = new Set(namesUsed(running));
  const needed = Object.entries(named).filter(([name]) => used.has(name));
  return JSON.stringify(needed).length <= MOST_CHARACTERS_OF_VARIABLES ? Object.fromEntries(needed) : {};
}

function isInitial(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'language' in value && value.language !== 'text/fhirpath';
}

const REASONS: Readonly<Record<PopulationFailureKind, string>> = {
  syntax: 'the payer’s rule cannot be read',
  runtime: 'the payer’s rule failed',
  'time-limit': 'the payer’s rule took too long',
  'memory-limit': 'the payer’s rule needed too much memory',
  'value-set-missing': 'the payer did not send a list of codes that its rule needs',
  'library-missing': 'the payer did not send the rule that the question names',
  'data-unavailable': 'the record could not be read',
  'data-slow': 'the record did not answer in time',
  'name-repeated': 'the payer’s form uses one name twice',
  circular: 'the payer’s rules need each other',
  'too-many': 'the payer’s rule asks for more than is read at once',
  'language-unknown': 'the payer’s rule is in a language that is not known here',
};

function warningsOf(failures: readonly PopulationFailure[], expressions: readonly FormExpression[]): string[] {
  const labels = new Map(expressions.map(({ linkId, label }) => [linkId, label]));
  return [...new Set(failures.map(({ linkId, kind, expression }) => {
    const label = linkId === undefined ? undefined : labels.get(linkId);
    if (label) return `“${label}” was not filled in: ${REASONS[kind]}.`;
    return kind === 'data-unavailable' || kind === 'data-slow' ? `${expression}: ${REASONS[kind]}.` : `Not everything could be filled in: ${REASONS[kind]}.`;
  }))];
}
