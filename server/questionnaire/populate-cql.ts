import type { Resource } from '@medplum/fhirtypes';
import type { ElmLibrary } from './cql/compile-cql.ts';
import { parseDefineReference } from './cql/define-reference.ts';
import { cacheKey, type ElmCache } from './cql/elm-cache.ts';
import { alternativeElm, inlineCql } from './cql/inline-expression.ts';
import { definesOf, type PackageLibrary, readLibraries } from './cql/read-libraries.ts';
import { defineId } from './cql/worker-messages.ts';
import type { WorkerPool } from './cql/worker-pool.ts';
import { dataRequirements, expandedValueSets, namedValueSets, type Place } from './data-requirements.ts';
import { type FormExpression, isIdentifier } from './form-expressions.ts';
import type { CqlMode, PopulateInput, PopulationFailure, PopulationFailureKind } from './population.ts';
import { type RecordReader, readRecords } from './read-records.ts';
import { runSurviving } from './run-surviving.ts';

/** The first library of a form takes seconds to translate, and a big set longer. */
const COMPILE_LIMIT_MS = 60_000;

export interface ExpressionResults {
  /** By the expression's id; absent when it failed. */
  readonly values: ReadonlyMap<string, readonly unknown[]>;
  /** What the result rests on. */
  readonly evidence: ReadonlyMap<string, readonly unknown[]>;
  readonly failures: readonly PopulationFailure[];
}

export interface Engine {
  readonly pool: WorkerPool;
  readonly cache: ElmCache;
  readonly now: () => number;
  /** How long one part of the record may take. Milliseconds. */
  readonly readLimitMs: number;
}

/** Runs a form's CQL on what its libraries ask of the record. */
export async function populateCql(input: PopulateInput, expressions: readonly FormExpression[], engine: Engine, reader: RecordReader): Promise<ExpressionResults & { readonly mode?: CqlMode }> {
  if (expressions.length === 0) return { values: new Map(), evidence: new Map(), failures: [] };
  const failures: PopulationFailure[] = [];
  const fail = ({ linkId }: FormExpression, expression: string, kind: PopulationFailureKind, locator?: string) =>
    failures.push({ ...(linkId === undefined ? {} : { linkId }), expression, kind, ...(locator ? { locator } : {}) });
  const libraries = readLibraries(input.package.libraries);
  const ready = await executable(libraries, expressions, engine, failures);
  const places = expressions.flatMap((item) => {
    const found = ready.placeOf(item);
    if (found.kind === 'none') fail(item, item.expression.expression?.slice(0, 200) ?? '', found.why);
    return found.kind === 'place' ? [{ item, place: found.place, evidence: evidencePlace(item, found.place, ready.elm) }] : [];
  });

  const defines = places.flatMap(({ place, evidence }) => (evidence ? [place, evidence] : [place]));
  const valueSets = expandedValueSets(input.package.valueSets);
  for (const url of namedValueSets(ready.elm)) if (!valueSets[url]) failures.push({ expression: url, kind: 'value-set-missing' });
  const requirements = dataRequirements({ elm: ready.elm, wanted: defines, libraries: libraries.map(({ library }) => library), valueSets, now: engine.now() });
  const resources = await readRecords(requirements, input.launch, reader);

  reader.calculating();
  const results = await runSurviving(engine.pool, {
    kind: 'cql',
    elm: ready.elm,
    defines: [...new Map(defines.map((one) => [defineId(one), one])).values()],
    patient: input.launch.patient.id ?? '',
    resources,
    valueSets,
    parameters: launchResources(input),
    nowMs: engine.now(),
  });
  const values = new Map<string, readonly unknown[]>();
  const evidence = new Map<string, readonly unknown[]>();
  for (const one of places) {
    const id = defineId(one.place);
    const result = results.get(id);
    if (result?.kind === 'value') {
      values.set(one.item.id, result.values);
      const source = one.evidence ? results.get(defineId(one.evidence)) : undefined;
      evidence.set(one.item.id, source?.kind === 'value' ? source.values : result.values);
    } else fail(one.item, id, result?.reason ?? 'time-limit', result?.locator);
  }
  return { values, evidence, failures, ...(ready.mode ? { mode: ready.mode } : {}) };
}

type Located = { readonly kind: 'place'; readonly place: Place } | { readonly kind: 'none'; readonly why: 'syntax' | 'library-missing' };

interface Executable {
  readonly elm: readonly ElmLibrary[];
  readonly mode?: CqlMode;
  placeOf(item: FormExpression): Located;
}

/** Shipped ELM where there is some; the rest compiled once, kept by the hash of all the text. CQL written into the form: its shipped ELM, else compiled too. */
async function executable(libraries: readonly PackageLibrary[], expressions: readonly FormExpression[], engine: Engine, failures: PopulationFailure[]): Promise<Executable> {
  const shipped = libraries.flatMap(({ elm }) => (elm ? [elm] : []));
  const missing = libraries.filter(({ elm, cql }) => !elm && cql).map(({ name }) => name);
  const inline = new Map<string, Place>();
  const inlineElm: ElmLibrary[] = [];
  const texts: Record<string, string> = {};
  for (const { id, expression } of expressions) {
    const text = expression.expression ?? '';
    const reference = parseDefineReference(text);
    if (reference && (reference.library !== undefined || isIdentifier(expression) || libraries.some((library) => namesDefine(library, reference.define)))) continue;
    const alternative = alternativeElm(expression, shipped);
    if (alternative) {
      inlineElm.push(alternative.elm);
      inline.set(id, { library: alternative.elm.library.identifier.id, define: alternative.define });
    } else if (text) {
      const wrapped = inlineCql(text, libraries);
      texts[wrapped.name] = wrapped.text;
      inline.set(id, { library: wrapped.name, define: wrapped.define });
    }
  }
  const wanted = [...missing, ...Object.keys(texts)];
  const compiled = wanted.length > 0 ? await compile(libraries, texts, wanted, engine) : undefined;
  const elm = [...shipped, ...inlineElm, ...Object.values(compiled?.elm ?? {})];
  const refused = wanted.filter((name) => !elm.some(({ library }) => library.identifier.id === name));
  for (const name of refused) if (!(name in texts)) failures.push({ expression: name, kind: compiled?.kind === 'stopped' ? 'time-limit' : 'syntax' });
  const mode = compiled?.kind === 'compiled' && Object.keys(compiled.elm).length > 0 ? (`compiled-${compiled.mode}` as const) : shipped.length + inlineElm.length > 0 ? ('shipped-elm' as const) : undefined;
  return {
    elm,
    ...(mode ? { mode } : {}),
    placeOf({ id, expression }) {
      const place = inline.get(id) ?? namedPlace(expression.expression ?? '', elm);
      const there = place !== undefined && elm.some(({ library }) => library.identifier.id === place.library);
      if (there) return { kind: 'place', place };
      const home = parseDefineReference(expression.expression ?? '')?.library;
      const unreadable = inline.has(id) || (home === undefined ? refused.length > 0 : refused.includes(home));
      return { kind: 'none', why: unreadable ? 'syntax' : 'library-missing' };
    },
  };
}

async function compile(libraries: readonly PackageLibrary[], texts: Readonly<Record<string, string>>, wanted: readonly string[], { cache, pool }: Engine) {
  const sources = { ...Object.fromEntries(libraries.flatMap(({ name, cql }) => (cql ? [[name, cql]] : []))), ...texts };
  const key = cacheKey(sources, wanted);
  const known = await cache.read(key);
  if (known) return { kind: 'compiled' as const, ...known };
  const outcome = await pool.run({ kind: 'compile', sources, wanted }, COMPILE_LIMIT_MS);
  if (outcome.kind === 'stopped' || !outcome.compiled) return { kind: 'stopped' as const, elm: {} };
  const { mode, elm } = outcome.compiled;
  await cache.keep(key, { mode, elm });
  return { kind: 'compiled' as const, mode, elm };
}

function namesDefine({ elm, cql }: PackageLibrary, define: string): boolean {
  return elm ? definesOf(elm).includes(define) : Boolean(cql?.includes(define));
}

function namedPlace(expression: string, elm: readonly ElmLibrary[]): Place | undefined {
  const reference = parseDefineReference(expression);
  if (!reference) return undefined;
  const { library, define } = reference;
  const simple = (name: string) => name.replace(/[^A-Za-z0-9]/g, '').toLowerCase();
  const home = library === undefined
    ? elm.find((one) => definesOf(one).includes(define))
    : elm.find((one) => one.library.identifier.id === library) ?? elm.find((one) => simple(one.library.identifier.id) === simple(library));
  return home ? { library: home.library.identifier.id, define } : undefined;
}

/** The item's own evidence expression, else the define "<Name> Source" beside the define (also "<Name>Source"). */
function evidencePlace(item: FormExpression, place: Place, elm: readonly ElmLibrary[]): Place | undefined {
  if (item.evidence?.expression) return namedPlace(item.evidence.expression, elm);
  const home = elm.find((one) => one.library.identifier.id === place.library);
  const define = home && [`${place.define} Source`, `${place.define}Source`].find((name) => definesOf(home).includes(name));
  return define ? { library: place.library, define } : undefined;
}

/** Payers' libraries name the order by its type; SDC's launch context names are offered too. */
function launchResources({ launch }: PopulateInput): Record<string, Resource | null> {
  const { order, patient, coverage = null, practitioner = null, encounter = null } = launch;
  const only = (type: Resource['resourceType']) => (order.resourceType === type ? order : null);
  return {
    device_request: only('DeviceRequest'), service_request: only('ServiceRequest'), medication_request: only('MedicationRequest'),
    nutrition_order: only('NutritionOrder'), vision_prescription: only('VisionPrescription'),
    order, patient, coverage, practitioner, user: practitioner, encounter,
  };
}
