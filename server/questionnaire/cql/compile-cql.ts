import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { SystemModelInfoProvider } from '@cqframework/cql/cql';
import {
  CqlCompilerOptions, CqlTranslator, createLibrarySourceProvider, createModelInfoProvider, createUcumService, LibraryBuilder, LibraryManager, ModelManager, stringAsSource,
} from '@cqframework/cql/cql-to-elm';
import ucum from '@lhncbc/ucum-lhc';

export type CompileMode = 'strict' | 'lenient';

export type CompileResult =
  | { readonly kind: 'compiled'; readonly mode: CompileMode; readonly elm: Readonly<Record<string, ElmLibrary>> }
  | { readonly kind: 'refused'; readonly library: string; readonly messages: readonly string[] };

export interface ElmLibrary {
  readonly library: { readonly identifier: { readonly id: string; readonly version?: string } } & Record<string, unknown>;
}

const require = createRequire(import.meta.url);

/**
 * CQL texts by library name to ELM. Strict first; list promotion and demotion, on which much payer content relies, only when strict fails.
 * Takes seconds the first time (model load): runs in the worker, and its result is kept by the caller.
 */
export function compileCql(sources: Readonly<Record<string, string>>): CompileResult {
  const strict = compileWith(sources, 'strict');
  return strict.kind === 'compiled' ? strict : compileWith(sources, 'lenient');
}

function compileWith(sources: Readonly<Record<string, string>>, mode: CompileMode): CompileResult {
  const libraries = libraryManager(sources, mode);
  const elm: Record<string, ElmLibrary> = {};
  for (const [name, text] of Object.entries(sources)) {
    const translator = CqlTranslator.fromText(text, libraries);
    const errors = translator.errors.asJsReadonlyArrayView().map((error) => error.message ?? 'unknown error');
    if (errors.length > 0) return { kind: 'refused', library: name, messages: errors };
    const compiled = JSON.parse(translator.toJson()) as ElmLibrary;
    unwrapRetrieveCodes(compiled);
    elm[compiled.library.identifier.id] = compiled;
  }
  return { kind: 'compiled', mode, elm };
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
  return readFileSync(require.resolve(`cql-exec-fhir/lib/modelInfos/fhir-modelinfo-${known}.xml`), 'utf8');
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
