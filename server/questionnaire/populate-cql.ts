import type { Resource } from '@medplum/fhirtypes';
import type { ElmLibrary } from './cql/compile-cql.ts';
import { parseDefineReference } from './cql/define-reference.ts';
import { cacheKey, type ElmCache } from './cql/elm-cache.ts';
import { definesOf, type PackageLibrary, readLibraries } from './cql/read-libraries.ts';
import { defineId, type WorkerResult } from './cql/worker-messages.ts';
import type { WorkerPool } from './cql/worker-pool.ts';
import { dataRequirements, expandedValueSets, namedValueSets } from './data-requirements.ts';
import type { ItemExpression } from './form-expressions.ts';
import type { CqlMode, PopulateInput, PopulationFailure } from './population.ts';
import { readRecords } from './read-records.ts';

/** The first library of a form takes seconds to translate, and a big set longer. */
const COMPILE_LIMIT_MS = 60_000;

export interface ExpressionResults {
  /** By linkId. */
  readonly values: ReadonlyMap<string, readonly unknown[]>;
  readonly evidence: ReadonlyMap<string, readonly unknown[]>;
  readonly failures: readonly PopulationFailure[];
  readonly mode?: CqlMode;
}

export interface Engine {
  readonly pool: WorkerPool;
  readonly cache: ElmCache;
  readonly now: () => number;
}

/** Runs a form's CQL on what its libraries ask of the record. */
export async function populateCql(input: PopulateInput, expressions: readonly ItemExpression[], engine: Engine): Promise<ExpressionResults> {
  if (expressions.length === 0) return { values: new Map(), evidence: new Map(), failures: [] };
  const failures: PopulationFailure[] = [];
  const libraries = readLibraries(input.package.libraries);
  const ready = await executableLibraries(libraries, engine, failures);
  const places = expressions.flatMap((item) => {
    const place = placeOf(item.expression.expression ?? '', ready.elm);
    if (!place) failures.push({ linkId: item.linkId, expression: item.expression.expression?.slice(0, 200) ?? '', kind: ready.refused ? 'syntax' : 'library-missing' });
    return place ? [{ item, place, evidence: evidencePlace(item, place, ready.elm) }] : [];
  });

  const valueSets = expandedValueSets(input.package.valueSets);
  for (const url of namedValueSets(ready.elm)) if (!valueSets[url]) failures.push({ expression: url, kind: 'value-set-missing' });
  const requirements = dataRequirements(ready.elm, libraries.map(({ library }) => library), valueSets);
  const records = await readRecords(requirements, input.launch, input.ehr);
  failures.push(...records.failures);

  const defines = places.flatMap(({ place, evidence }) => (evidence ? [place, evidence] : [place]));
  const outcome = await engine.pool.run({
    kind: 'cql',
    elm: ready.elm,
    defines: [...new Map(defines.map((one) => [defineId(one), one])).values()],
    patient: input.launch.patient.id ?? '',
    resources: records.resources,
    valueSets,
    parameters: launchParameters(input),
    nowMs: engine.now(),
  });
  const results = new Map(outcome.results.map((result): [string, WorkerResult] => [result.id, result]));
  const values = new Map<string, readonly unknown[]>();
  const evidence = new Map<string, readonly unknown[]>();
  for (const one of places) {
    const id = defineId(one.place);
    const result = results.get(id);
    if (result?.kind === 'value') {
      values.set(one.item.linkId, result.values);
      const source = one.evidence ? results.get(defineId(one.evidence)) : undefined;
      evidence.set(one.item.linkId, source?.kind === 'value' ? source.values : result.values);
    } else {
      failures.push({ linkId: one.item.linkId, expression: id, kind: result?.reason ?? 'time-limit', ...(result?.locator ? { locator: result.locator } : {}) });
    }
  }
  return { values, evidence, failures, ...(ready.mode ? { mode: ready.mode } : {}) };
}

interface Executable {
  readonly elm: readonly ElmLibrary[];
  readonly mode?: CqlMode;
  readonly refused: boolean;
}

/** Shipped ELM where there is some; the rest compiled once, kept by the hash of all the text. */
async function executableLibraries(libraries: readonly PackageLibrary[], engine: Engine, failures: PopulationFailure[]): Promise<Executable> {
  const shipped = libraries.flatMap(({ elm }) => (elm ? [elm] : []));
  const missing = libraries.filter(({ elm }) => !elm);
  if (missing.length === 0) return { elm: shipped, refused: false, ...(shipped.length > 0 ? { mode: 'shipped-elm' } : {}) };
  const sources = Object.fromEntries(libraries.flatMap(({ name, cql }) => (cql ? [[name, cql]] : [])));
  const key = cacheKey(sources);
  const known = await engine.cache.read(key);
  if (known) return withCompiled(shipped, known.elm, known.mode);
  const outcome = await engine.pool.run({ kind: 'compile', sources }, COMPILE_LIMIT_MS);
  const compiled = outcome.kind === 'done' ? outcome.compiled : undefined;
  if (compiled?.kind !== 'compiled') {
    const library = compiled?.kind === 'refused' ? compiled.library : missing[0]?.name ?? '';
    failures.push({ expression: library, kind: outcome.kind === 'stopped' ? 'time-limit' : 'syntax' });
    return { elm: shipped, refused: true };
  }
  await engine.cache.keep(key, { mode: compiled.mode, elm: compiled.elm });
  return withCompiled(shipped, compiled.elm, compiled.mode);
}

function withCompiled(shipped: readonly ElmLibrary[], compiled: Readonly<Record<string, ElmLibrary>>, mode: 'strict' | 'lenient'): Executable {
  const names = new Set(shipped.map(({ library }) => library.identifier.id));
  return { elm: [...shipped, ...Object.values(compiled).filter(({ library }) => !names.has(library.identifier.id))], mode: `compiled-${mode}`, refused: false };
}

interface Place { readonly library: string; readonly define: string }

function placeOf(expression: string, elm: readonly ElmLibrary[]): Place | undefined {
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
function evidencePlace(item: ItemExpression, place: Place, elm: readonly ElmLibrary[]): Place | undefined {
  if (item.evidence?.expression) return placeOf(item.evidence.expression, elm);
  const home = elm.find((one) => one.library.identifier.id === place.library);
  const define = home && [`${place.define} Source`, `${place.define}Source`].find((name) => definesOf(home).includes(name));
  return define ? { library: place.library, define } : undefined;
}

/** Payers' libraries name the order by its type; SDC's launch context names are offered too. */
function launchParameters({ launch }: PopulateInput): Record<string, Resource | null> {
  const { order, patient, coverage = null, practitioner = null, encounter = null } = launch;
  const only = (type: Resource['resourceType']) => (order.resourceType === type ? order : null);
  return {
    device_request: only('DeviceRequest'), service_request: only('ServiceRequest'), medication_request: only('MedicationRequest'),
    nutrition_order: only('NutritionOrder'), vision_prescription: only('VisionPrescription'),
    order, patient, coverage, practitioner, user: practitioner, encounter,
  };
}
