import { parentPort } from 'node:worker_threads';
import cqlFhir from 'cql-exec-fhir';
import cql from 'cql-execution';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';
import { compileCql, unwrapRetrieveCodes } from './compile-cql.ts';
import { plainResults } from './plain-result.ts';
import { type CqlTask, defineId, type FhirPathTask, type WorkerReply, type WorkerResult, type WorkerTask } from './worker-messages.ts';

/*
 * Runs what payers wrote: CQL (as ELM, interpreted, never turned into JavaScript) and FHIRPath. Neither language can reach files or the
 * network; the globals that could are removed all the same before the first task.
 */
const port = parentPort;
if (!port) throw new Error('This file runs as a worker');
for (const name of ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest']) Reflect.deleteProperty(globalThis, name);

const reply = (message: WorkerReply) => port.postMessage(message);
const report = (result: WorkerResult) => reply({ kind: 'result', result });

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

port.on('message', (task: WorkerTask) => {
  void run(task);
});

async function run(task: WorkerTask): Promise<void> {
  switch (task.kind) {
    case 'warm-up':
      patientSource('4.0.1');
      wrapper('4.0.1');
      fhirpath.compile('Patient.name', r4);
      return reply({ kind: 'done' });
    case 'compile':
      return reply(compileCql(task.sources));
    case 'cql':
      await runCql(task);
      return reply({ kind: 'done' });
    case 'fhirpath':
      runFhirPath(task);
      return reply({ kind: 'done' });
  }
}

async function runCql(task: CqlTask): Promise<void> {
  for (const elm of task.elm) unwrapRetrieveCodes(elm);
  const repository = new cql.Repository(Object.fromEntries(task.elm.map((elm) => [elm.library.identifier.id, elm])));
  const codes = new cql.CodeService(Object.fromEntries(
    Object.entries(task.valueSets).map(([url, list]) => [url, { '1': list.map(({ code, system }) => ({ code, system, version: '1' })) }])));
  const executed = cql.DateTime.fromJSDate(new Date(task.nowMs));
  for (const library of new Set(task.defines.map((one) => one.library))) {
    const wanted = task.defines.filter((one) => one.library === library);
    const elm = task.elm.find((one) => one.library.identifier.id === library);
    if (!elm) {
      for (const one of wanted) report({ kind: 'failed', id: defineId(one), reason: 'library-missing' });
      continue;
    }
    try {
      const version = fhirVersion(elm);
      const source = patientSource(version);
      source.reset();
      source.loadBundles([{ resourceType: 'Bundle', type: 'collection', entry: task.resources.map((resource) => ({ resource })) }]);
      const patient = patientNamed(source, task.patient);
      const loaded = new cql.Library(elm, repository);
      const context = new cql.PatientContext(loaded, patient, codes, boundParameters(task, elm, version), executed);
      for (const one of wanted) await runDefine(one, loaded, context);
    } catch (cause) {
      for (const one of wanted) report({ kind: 'failed', id: defineId(one), reason: 'runtime', ...locatorOf(cause) });
    }
  }
}

function patientNamed(source: InstanceType<typeof cqlFhir.PatientSource>, id: string) {
  for (let patient = source.currentPatient(); patient; patient = source.nextPatient()) if (patient.getId() === id) return patient;
  return undefined;
}

async function runDefine(one: CqlTask['defines'][number], library: InstanceType<typeof cql.Library>, context: InstanceType<typeof cql.PatientContext>): Promise<void> {
  const id = defineId(one);
  reply({ kind: 'started', id });
  const expression = Object.hasOwn(library.expressions, one.define) ? library.expressions[one.define] : undefined;
  if (!expression) return report({ kind: 'failed', id, reason: 'syntax' });
  try {
    report({ kind: 'value', id, values: plainResults(await expression.execute(context)) });
  } catch (cause) {
    const missing = /resolve expected valueset/i.test(cause instanceof Error ? cause.message : '');
    report({ kind: 'failed', id, reason: missing ? 'value-set-missing' : 'runtime', ...locatorOf(cause) });
  }
}

/** Places only: the message of an engine's error may quote the record. */
function locatorOf(cause: unknown): { locator?: string } {
  return cause instanceof cql.AnnotatedError && cause.locator ? { locator: cause.locator } : {};
}

function fhirVersion(elm: CqlTask['elm'][number]): string {
  const usings = elm.library['usings'] as { def?: { localIdentifier?: string; version?: string }[] } | undefined;
  return usings?.def?.find(({ localIdentifier }) => localIdentifier === 'FHIR')?.version ?? '4.0.1';
}

function boundParameters(task: CqlTask, elm: CqlTask['elm'][number], version: string): Record<string, unknown> {
  const declared = task.elm.concat(elm).flatMap((library) => (library.library['parameters'] as { def?: { name?: string }[] } | undefined)?.def ?? []);
  return Object.fromEntries(declared.flatMap(({ name }) => {
    if (name === undefined || !Object.hasOwn(task.parameters, name)) return [];
    const resource = task.parameters[name];
    return [[name, resource ? wrapper(version).wrap(resource) : null]];
  }));
}

function runFhirPath(task: FhirPathTask): void {
  const variables: Record<string, unknown> = { ...task.variables };
  for (const { id, expression, name } of task.expressions) {
    reply({ kind: 'started', id });
    try {
      const values = fhirpath.evaluate({}, expression, variables, r4) as unknown[];
      if (name) variables[name] = values.length === 1 ? values[0] : values;
      report({ kind: 'value', id, values: plainResults(values) });
    } catch {
      report({ kind: 'failed', id, reason: 'runtime' });
    }
  }
}
