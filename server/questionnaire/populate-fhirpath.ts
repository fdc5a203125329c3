import type { Bundle } from '@medplum/fhirtypes';
import { isRecord } from '#prior-auth/questionnaire/answer-value.ts';
import { orderVariables } from '#prior-auth/questionnaire/order-variables.ts';
import { extensionsNamed } from '#prior-auth/questionnaire/read-extension.ts';
import type { WorkerResult } from './cql/worker-messages.ts';
import { buildFrames, type Frame, instanceId, isBlocked } from './expression-frames.ts';
import { type ExpressionScope, type FormExpression, isCql, isFhirPathExpression, isQuery } from './form-expressions.ts';
import type { Engine, ExpressionResults } from './populate-cql.ts';
import type { PopulateInput, PopulationFailure, PopulationFailureKind } from './population.ts';
import type { RecordReader } from './read-records.ts';
import { bundleResources, fillTemplates, queryRefused, runQuery, templatesOf } from './record-queries.ts';
import { runSurviving } from './run-surviving.ts';

const MOST_QUERIES = 40;
/** Queries that wait for one another's results, one after the other. */
const MOST_WAVES = 6;

/** What one expression gave at one place of the form. */
export interface ExpressionOutcome {
  readonly expression: FormExpression;
  /** Where an answer goes: linkId, or item path inside rows. */
  readonly key: string;
  readonly values: readonly unknown[];
  readonly evidence: readonly unknown[];
}

export interface FhirPathResults {
  readonly outcomes: readonly ExpressionOutcome[];
  readonly rows: Readonly<Record<string, number>>;
  /** Names of the form's root that no screen can compute: launch context, queries, CQL. */
  readonly named: Readonly<Record<string, unknown>>;
  readonly failures: readonly PopulationFailure[];
}

/**
 * Runs a form's FHIRPath and queries: launch context, then variables, then rows, then items (SDC population). What depends on a query runs
 * after it; the order in the text does not matter.
 */
export async function populateFhirPath(input: PopulateInput, root: ExpressionScope, cql: ExpressionResults, engine: Engine, reader: RecordReader): Promise<FhirPathResults> {
  const { questionnaire } = input.package;
  const launch = launchVariables(input);
  const failures: PopulationFailure[] = [];
  const failed = new Set<string>();
  const fail = (expression: FormExpression, frame: Frame, kind: PopulationFailureKind) => {
    const id = instanceId(expression, frame);
    if (failed.has(id)) return;
    failed.add(id);
    failures.push({ ...(expression.linkId === undefined ? {} : { linkId: expression.linkId }), expression: placeName(expression), kind });
  };
  const bundles = new Map<string, Bundle>();
  const rowResults = new Map<string, readonly unknown[]>();

  /** Undefined: not known yet. */
  const valuesOf = (expression: FormExpression, frame: Pick<Frame, 'path'>): readonly unknown[] | undefined => {
    if (isCql(expression.expression)) return cql.values.get(expression.id) ?? [];
    const id = instanceId(expression, frame);
    const bundle = bundles.get(id);
    return bundle ? bundleResources(bundle) : failed.has(id) ? [] : rowResults.get(id);
  };
  const isOpen = (expression: FormExpression, frame: Frame) => isQuery(expression.expression) && valuesOf(expression, frame) === undefined;
  const build = () => buildFrames({ questionnaire, response: input.response, root, launch, rowsOf: valuesOf });
  const task = (frames: readonly Frame[], wanted: readonly Wanted[]) => runSurviving(engine.pool, {
    kind: 'fhirpath',
    frames: frames.map((frame, index) => ({
      ...(frame.outer === undefined ? {} : { outer: frame.outer }),
      values: { ...frame.values, ...knownNames(frame, valuesOf, bundles) },
      variables: variablesOf(frame),
      expressions: wanted.filter((one) => one.frame === index).map(({ id, text }) => ({ id, expression: text })),
    })),
  });

  let { frames, rows } = build();
  for (let wave = 0; wave < MOST_WAVES; wave += 1) {
    const open = places(frames).filter(({ expression, at }) => (isQuery(expression.expression) || expression.purpose.kind === 'rows') && valuesOf(expression, at) === undefined);
    if (open.length === 0) break;
    const ready = open.filter(({ expression, frame }) => {
      const text = expression.expression.expression ?? '';
      return !(isQuery(expression.expression) ? templatesOf(text) : [text]).some((one) => isBlocked(one, frame, frames, isOpen));
    });
    if (ready.length === 0 || wave === MOST_WAVES - 1) {
      for (const { expression, at } of open) fail(expression, at, ready.length === 0 ? 'circular' : 'too-many');
      ({ frames, rows } = build());
      continue;
    }
    const wanted = ready.flatMap(({ expression, frame, at }): Wanted[] => {
      const id = instanceId(expression, at);
      const text = expression.expression.expression ?? '';
      if (isQuery(expression.expression)) return templatesOf(text).map((inner) => ({ id: `${inner}@${id}`, frame, text: inner }));
      return isFhirPathExpression(expression.expression) ? [{ id, frame, text }] : [];
    });
    const results = wanted.length > 0 ? await task(frames, wanted) : new Map<string, WorkerResult>();
    await Promise.all(ready.map(async ({ expression, at }) => {
      const id = instanceId(expression, at);
      if (!isQuery(expression.expression)) {
        const result = results.get(id);
        if (result?.kind === 'value') rowResults.set(id, result.values);
        else fail(expression, at, isFhirPathExpression(expression.expression) ? result?.reason ?? 'time-limit' : 'language-unknown');
        return;
      }
      if (bundles.size >= MOST_QUERIES) return fail(expression, at, 'too-many');
      const query = fillTemplates(expression.expression.expression ?? '', (inner) => {
        const result = results.get(`${inner}@${id}`);
        return result?.kind === 'value' ? result.values.map(String).join(',') : '';
      });
      const found = await runQuery(query, input.launch, reader);
      if (found) bundles.set(id, found);
      else {
        failed.add(id);
        failures.push(queryRefused(expression.linkId, placeName(expression)));
      }
    }));
    ({ frames, rows } = build());
  }

  const last = places(frames).filter(({ expression }) => isFhirPathExpression(expression.expression) && expression.purpose.kind !== 'variable' && expression.purpose.kind !== 'rows');
  reader.calculating();
  const wanted = last.flatMap(({ expression, frame, at }): Wanted[] => [
    { id: instanceId(expression, at), frame, text: expression.expression.expression ?? '' },
    ...(expression.evidence?.expression ? [{ id: `evidence:${instanceId(expression, at)}`, frame, text: expression.evidence.expression }] : []),
  ]);
  const needed = wanted.length > 0 || frames.some((frame) => variablesOf(frame).length > 0);
  const results = needed ? await task(frames, wanted) : new Map<string, WorkerResult>();
  const outcomes = places(frames).flatMap(({ expression, at }): ExpressionOutcome[] => {
    const id = instanceId(expression, at);
    const { kind } = expression.purpose;
    const language = expression.expression;
    if (kind === 'variable' || kind === 'rows') {
      const result = results.get(id);
      if (kind === 'variable' && isFhirPathExpression(language) && result?.kind === 'failed') fail(expression, at, result.reason);
      if (kind === 'variable' && !isFhirPathExpression(language) && !isQuery(language) && !isCql(language)) fail(expression, at, 'language-unknown');
      return [];
    }
    if (isCql(language)) {
      const values = cql.values.get(expression.id);
      return values ? [{ expression, key: at.key, values, evidence: cql.evidence.get(expression.id) ?? [] }] : [];
    }
    if (isQuery(language)) {
      const values = valuesOf(expression, at) ?? [];
      return [{ expression, key: at.key, values, evidence: values }];
    }
    const result = results.get(id);
    if (result?.kind !== 'value') {
      fail(expression, at, isFhirPathExpression(language) ? result?.reason ?? 'time-limit' : 'language-unknown');
      return [];
    }
    const source = results.get(`evidence:${id}`);
    return [{ expression, key: at.key, values: result.values, evidence: source?.kind === 'value' ? source.values : result.values.some(isResource) ? result.values : sourceOf(expression, at, launch) }];
  });
  const [outermost] = frames;
  return { outcomes, rows, named: { ...launch, ...(outermost ? knownNames(outermost, valuesOf, bundles) : {}) }, failures };
}

interface Wanted { readonly id: string; readonly frame: number; readonly text: string }
interface PlacedExpression { readonly expression: FormExpression; readonly frame: number; readonly at: Frame }

function places(frames: readonly Frame[]): PlacedExpression[] {
  return frames.flatMap((at, frame) => at.expressions.map((expression) => ({ expression, frame, at })));
}

/** Queries and CQL by name, as later expressions see them: a query is its Bundle. */
function knownNames(frame: Frame, valuesOf: (expression: FormExpression, frame: Frame) => readonly unknown[] | undefined, bundles: ReadonlyMap<string, Bundle>): Record<string, unknown> {
  return Object.fromEntries(frame.expressions.flatMap((expression) => {
    const { purpose } = expression;
    if (purpose.kind !== 'variable' || isFhirPathExpression(expression.expression)) return [];
    const bundle = bundles.get(instanceId(expression, frame));
    const values = valuesOf(expression, frame);
    return bundle ? [[purpose.name, bundle]] : values ? [[purpose.name, values.length === 1 ? values[0] : values]] : [];
  }));
}

function variablesOf(frame: Frame): { id: string; name: string; expression: string }[] {
  const own = frame.expressions.filter(({ purpose, expression }) => purpose.kind === 'variable' && isFhirPathExpression(expression));
  return orderVariables(own.map(({ expression }) => expression)).flatMap((ordered) => {
    const found = own.find(({ expression }) => expression === ordered);
    return found ? [{ id: instanceId(found, frame), name: ordered.name ?? '', expression: ordered.expression ?? '' }] : [];
  });
}

/** The row, else the launch resource that the expression starts from. */
function sourceOf({ expression: { expression = '' } }: FormExpression, { row }: Frame, launch: Readonly<Record<string, unknown>>): unknown[] {
  const [, name = ''] = /^\s*%`?([\w-]+)/.exec(expression) ?? [];
  return row === undefined ? (Object.hasOwn(launch, name) ? [launch[name]] : []) : [row];
}

function isResource(value: unknown): boolean {
  return isRecord(value) && typeof value['resourceType'] === 'string';
}

function placeName({ purpose, linkId, id }: FormExpression): string {
  return 'name' in purpose ? `${linkId ? `${linkId}|` : ''}%${purpose.name}` : linkId ?? id;
}

function launchVariables({ launch, package: { questionnaire } }: PopulateInput): Record<string, unknown> {
  const { patient, order, coverage, practitioner, encounter } = launch;
  const known: Record<string, unknown> = {
    patient, order, [order.resourceType]: order, ...(coverage ? { coverage } : {}), ...(practitioner ? { practitioner, user: practitioner } : {}), ...(encounter ? { encounter } : {}),
  };
  // A form may give the launch context names of its own: bound by type.
  for (const { extension } of extensionsNamed(questionnaire, 'launchContext')) {
    const name = extension?.find(({ url }) => url === 'name');
    const label = name?.valueCoding?.code ?? name?.valueId;
    const types = (extension ?? []).filter(({ url }) => url === 'type').map(({ valueCode }) => valueCode);
    const match = [patient, order, coverage, practitioner, encounter].find((resource) => resource && types.includes(resource.resourceType));
    if (label && !(label in known)) known[label] = match ?? [];
  }
  return known;
}
