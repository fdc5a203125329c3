import cqlFhir from 'cql-exec-fhir';
import cql from 'cql-execution';
import { unwrapRetrieveCodes, type ElmLibrary } from './compile-cql.ts';
import { launchParameters } from './launch-parameters.ts';
import { plainResults } from './plain-result.ts';
import { rememberElements, rememberRecords } from './remember-records.ts';
import { type CqlTask, defineId, type WorkerReply, type WorkerResult } from './worker-messages.ts';

/** The model of a FHIR version is read once (about 150 ms each). */
const patientSources = new Map<string, InstanceType<typeof cqlFhir.PatientSource>>();
const wrappers = new Map<string, InstanceType<typeof cqlFhir.FHIRWrapper>>();

function patientSource(version: string) {
  const known = patientSources.get(version) ?? (version === '4.0.0' ? cqlFhir.PatientSource.FHIRv400() : version === '3.0.0' ? cqlFhir.PatientSource.FHIRv300() : cqlFhir.PatientSource.FHIRv401());
  patientSources.set(version, known);
  return known;
}

function wrapper(version: string) {
  const known = wrappers.get(version) ?? (version === '4.0.0' ? cqlFhir.FHIRWrapper.FHIRv400() : version === '3.0.0' ? cqlFhir.FHIRWrapper.FHIRv300() : cqlFhir.FHIRWrapper.FHIRv401());
  wrappers.set(version, known);
  return known;
}

/** Reads the usual model, so that the first form is as quick as the next. */
export function warmUpCql(): void {
  patientSource('4.0.1');
  rememberElements(wrapper('4.0.1').wrap({ resourceType: 'Patient' }));
}

/** Interprets ELM on a record; each define fails alone. */
export async function runCql(task: CqlTask, reply: (message: WorkerReply) => void): Promise<void> {
  const report = (result: WorkerResult) => reply({ kind: 'result', result });
  for (const elm of task.elm) unwrapRetrieveCodes(elm);
  const repository = new cql.Repository(Object.fromEntries(task.elm.map((elm) => [elm.library.identifier.id, elm])));
  const codes = new cql.CodeService(Object.fromEntries(
    Object.entries(task.valueSets).map(([url, list]) => [url, { '1': list.map(({ code, system }) => ({ code, system, version: '1' })) }])));
  const executed = cql.DateTime.fromJSDate(new Date(task.nowMs));
  const patients = new Map<string, ReturnType<typeof patientNamed>>();
  const patientOf = (version: string) => {
    if (!patients.has(version)) {
      const source = patientSource(version);
      source.reset();
      source.loadBundles([{ resourceType: 'Bundle', type: 'collection', entry: task.resources.map((resource) => ({ resource })) }]);
      patients.set(version, patientNamed(source, task.patient));
    }
    return patients.get(version);
  };
  for (const library of new Set(task.defines.map((one) => one.library))) {
    const wanted = task.defines.filter((one) => one.library === library);
    const elm = task.elm.find((one) => one.library.identifier.id === library);
    if (!elm) {
      for (const one of wanted) report({ kind: 'failed', id: defineId(one), reason: 'library-missing' });
      continue;
    }
    try {
      const version = fhirVersion(elm);
      const loaded = new cql.Library(elm, repository);
      const wrap = (resource: object) => wrapper(version).wrap(resource);
      const context = new cql.PatientContext(loaded, patientOf(version), codes, launchParameters(task.parameters, [...task.elm, elm], wrap), executed);
      for (const one of wanted) await runDefine(one, loaded, context, reply);
    } catch (cause) {
      for (const one of wanted) report({ kind: 'failed', id: defineId(one), reason: 'runtime', ...locatorOf(cause) });
    }
  }
}

function patientNamed(source: InstanceType<typeof cqlFhir.PatientSource>, id: string) {
  for (let patient = source.currentPatient(); patient; patient = source.nextPatient()) if (patient.getId() === id) return rememberRecords(patient);
  return undefined;
}

async function runDefine(
  one: CqlTask['defines'][number], library: InstanceType<typeof cql.Library>, context: InstanceType<typeof cql.PatientContext>, reply: (message: WorkerReply) => void,
): Promise<void> {
  const id = defineId(one);
  reply({ kind: 'started', id });
  const expression = Object.hasOwn(library.expressions, one.define) ? library.expressions[one.define] : undefined;
  if (!expression) return reply({ kind: 'result', result: { kind: 'failed', id, reason: 'syntax' } });
  try {
    reply({ kind: 'result', result: { kind: 'value', id, values: plainResults(await expression.execute(context)) } });
  } catch (cause) {
    const missing = /resolve expected valueset/i.test(cause instanceof Error ? cause.message : '');
    reply({ kind: 'result', result: { kind: 'failed', id, reason: missing ? 'value-set-missing' : 'runtime', ...locatorOf(cause) } });
  }
}

/** Places only: the message of an engine's error may quote the record. */
function locatorOf(cause: unknown): { locator?: string } {
  return cause instanceof cql.AnnotatedError && cause.locator ? { locator: cause.locator } : {};
}

function fhirVersion(elm: ElmLibrary): string {
  const usings = elm.library['usings'] as { def?: { localIdentifier?: string; version?: string }[] } | undefined;
  return usings?.def?.find(({ localIdentifier }) => localIdentifier === 'FHIR')?.version ?? '4.0.1';
}
