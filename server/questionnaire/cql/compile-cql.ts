import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SystemModelInfoProvider } from '@cqframework/cql/cql';
import {
  CqlCompilerOptions, CqlTranslator, createLibrarySourceProvider, createModelInfoProvider, createUcumService, LibraryBuilder, LibraryManager, ModelManager, stringAsSource,
} from '@cqframework/cql/cql-to-elm';
import ucum from '@lhncbc/ucum-lhc';

export type CompileMode = 'strict' | 'lenient';

export interface CompileResult {
  /** Lenient when one library needed it. */
  readonly mode: CompileMode;
  /** By the name inside the content. */
  readonly elm: Readonly<Record<string, ElmLibrary>>;
  /** Libraries that are no CQL; those that include one of them are here too. */
  readonly refused: readonly { readonly library: string; readonly messages: readonly string[] }[];
}

export interface ElmLibrary {
  readonly library: { readonly identifier: { readonly id: string; readonly version?: string } } & Record<string, unknown>;
}

/** Found before modules can no longer be resolved. */
const MODELS = dirname(createRequire(import.meta.url).resolve('cql-exec-fhir/lib/modelInfos/fhir-modelinfo-4.0.1.xml'));

/**
 * The wanted ones of CQL texts by library name, to ELM. Strict first; list promotion and demotion, on which much payer content relies, only for a library that
 * strict refuses. Takes seconds the first time (model load): runs in the worker, and its result is kept by the caller.
 */
export function compileCql(sources: Readonly<Record<string, string>>, wanted: readonly string[]): CompileResult {
  const strict = compileWith(sources, wanted, 'strict');
  if (strict.refused.length === 0) return strict;
  const lenient = compileWith(sources, strict.refused.map(({ library }) => library), 'lenient');
  const helped = Object.keys(lenient.elm).length > 0;
  return { mode: helped ? 'lenient' : 'strict', elm: { ...strict.elm, ...lenient.elm }, refused: lenient.refused };
}

function compileWith(sources: Readonly<Record<string, string>>, names: readonly string[], mode: CompileMode): CompileResult {
  const libraries = libraryManager(sources, mode);
  const elm: Record<string, ElmLibrary> = {};
  const refused: CompileResult['refused'][number][] = [];
  for (const name of names) {
    const messages = compileOne(sources[name] ?? '', libraries, elm);
    if (messages.length > 0) refused.push({ library: name, messages });
  }
  return { mode, elm, refused };
}

function compileOne(text: string, libraries: LibraryManager, elm: Record<string, ElmLibrary>): string[] {
  try {
    const translator = CqlTranslator.fromText(text, libraries);
    const errors = translator.errors.asJsReadonlyArrayView().map((error) => error.message ?? 'unknown error');
    if (errors.length > 0) return errors;
    const compiled = JSON.parse(translator.toJson()) as ElmLibrary;
    unwrapRetrieveCodes(compiled);
    elm[compiled.library.identifier.id] = compiled;
    return [];
  } catch {
    // The translator throws on some texts instead of naming the error.
    return ['cannot be translated'];
  }
}

function libraryManager(sources: Readonly<Record<string, string>>, mode: CompileMode): LibraryManager {
  const { Options } = CqlCompilerOptions;
  const options = new CqlCompilerOptions();
  const strictOptions = [Options.EnableLocators, Options.DisableListDemotion, Options.DisableListPromotion];
  options.setOptions(mode === 'strict' ? strictOptions : [Options.EnableLocators]);
  options.signatureLevel = LibraryBuilder.SignatureLevel.All;
  const models = new ModelManager();
  models.modelInfoLoader.registerModelInfoProvider(new SystemModelInfoProvider());
  models.modelInfoLoader.registerModelInfoProvider(
    createModelInfoProvider((id: string, _system: string | null | undefined, version: string | null | undefined) => (id === 'FHIR' ? stringAsSource(fhirModel(version ?? '4.0.1')) : null)), true);
  const manager = new LibraryManager(models, options, undefined, ucumService());
  manager.librarySourceLoader.registerProvider(createLibrarySourceProvider((id: string) => {
    const text = Object.hasOwn(sources, id) ? sources[id] : undefined;
    return text === undefined ? null : stringAsSource(text);
  }));
  return manager;
}

const FHIR_MODELS: readonly string[] = ['3.0.0', '4.0.0', '4.0.1'];

function fhirModel(version: string): string {
  const known = FHIR_MODELS.includes(version) ? version : '4.0.1';
  return readFileSync(join(MODELS, `fhir-modelinfo-${known}.xml`), 'utf8');
}

function ucumService() {
  const units = ucum.UcumLhcUtils.getInstance();
  const unsupported = (): never => {
    throw new Error('Units are not multiplied at translation');
  };
  return createUcumService(
    (value: string, from: string, to: string) => {
      const result = units.convertUnitTo(from, Number(value), to);
      if (result.status !== 'succeeded') throw new Error(`Unit ${from} does not convert to ${to}`);
      return String(result.toVal);
    },
    (unit: string) => (units.validateUnitString(unit).status === 'valid' ? null : `${unit} is no UCUM unit`),
    unsupported,
    unsupported,
  );
}

/** @cqframework/cql 5.3.0 writes Retrieve.codes as ToList(list) when the codes are already a list, which cannot be run. */
export function unwrapRetrieveCodes(node: unknown): void {
  if (Array.isArray(node)) {
    for (const child of node) unwrapRetrieveCodes(child);
    return;
  }
  if (node === null || typeof node !== 'object') return;
  const retrieve = node as { type?: unknown; codes?: { type?: unknown; operand?: { type?: unknown } } };
  if (retrieve.type === 'Retrieve' && retrieve.codes?.type === 'ToList' && (retrieve.codes.operand?.type === 'ExpressionRef' || retrieve.codes.operand?.type === 'List')) {
    retrieve.codes = retrieve.codes.operand;
  }
  for (const child of Object.values(node)) unwrapRetrieveCodes(child);
}
