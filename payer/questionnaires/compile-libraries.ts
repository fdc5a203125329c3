/*
 * Writes the ELM of the payer's CQL: `node payer/questionnaires/compile-libraries.ts`; with `--check` it only says whether what is committed is current.
 * PapDevicePrepopulation goes out as CQL alone, as many payers' libraries do, so that receivers that compile are put to use.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { SystemModelInfoProvider } from '@cqframework/cql/cql';
import { CqlCompilerOptions, CqlTranslator, createModelInfoProvider, createUcumService, LibraryBuilder, LibraryManager, ModelManager, stringAsSource } from '@cqframework/cql/cql-to-elm';

const LIBRARIES_WITH_ELM = ['HomeOxygenPrepopulation', 'LumbarSpinePrepopulation', 'EveryElementPrepopulation'] as const;

const require = createRequire(import.meta.url);
const here = (path: string) => new URL(path, import.meta.url);

/** This payer's CQL has calendar units only; the translator asks for a unit service all the same. */
const noConversion = (): never => {
  throw new Error('Unit conversion is not used');
};
const calendarUnits = createUcumService(noConversion, (unit: string) => (/^(year|month|week|day)s?$/.test(unit) ? null : `unit ${unit} is not expected here`), noConversion, noConversion);

function compileLibrary(name: string): string {
  return `${JSON.stringify(compileText(readFileSync(here(`cql/${name}.cql`), 'utf8'), name), null, 1)}\n`;
}

function compileText(cql: string, name: string): unknown {
  const options = new CqlCompilerOptions();
  const { EnableLocators, DisableListDemotion, DisableListPromotion } = CqlCompilerOptions.Options;
  options.setOptions([EnableLocators, DisableListDemotion, DisableListPromotion]);
  options.signatureLevel = LibraryBuilder.SignatureLevel.All;
  const models = new ModelManager();
  models.modelInfoLoader.registerModelInfoProvider(new SystemModelInfoProvider());
  const fhirModel = readFileSync(require.resolve('cql-exec-fhir/lib/modelInfos/fhir-modelinfo-4.0.1.xml'), 'utf8');
  models.modelInfoLoader.registerModelInfoProvider(createModelInfoProvider((id: string) => (id === 'FHIR' ? stringAsSource(fhirModel) : null)), true);
  const translator = CqlTranslator.fromText(cql, new LibraryManager(models, options, undefined, calendarUnits));
  const errors = translator.errors.asJsReadonlyArrayView();
  if (errors.length > 0) throw new Error(`${name}: ${errors.map(({ message }) => message).join('; ')}`);
  return JSON.parse(translator.toJson());
}

/** The CQL that stands in the forms themselves, each compiled as the one define of a library of its own. */
function compileInline(): string {
  const inForms = readdirSync(here('forms/')).flatMap((file) => inlineCql(JSON.parse(readFileSync(here(`forms/${file}`), 'utf8'))));
  const compiled = [...new Set(inForms)].sort().map((expression) => [expression, JSON.stringify(compileText(`library InlineExpression version '1.0.0'\nusing FHIR version '4.0.1'\ncontext Patient\ndefine "Inline Expression":\n  ${expression}`, expression))]);
  return `${JSON.stringify(Object.fromEntries(compiled), null, 1)}\n`;
}

/** Expressions that are no name of a library's define. */
function inlineCql(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'language' in value && value.language === 'text/cql' && 'expression' in value && typeof value.expression === 'string' && !value.expression.startsWith('"') ? [value.expression] : [];
  return [...own, ...Object.values(value).flatMap(inlineCql)];
}

const targets: readonly { readonly file: string; readonly write: () => string }[] = [
  ...LIBRARIES_WITH_ELM.map((name) => ({ file: `elm/${name}.json`, write: () => compileLibrary(name) })),
  { file: 'elm/inline/expressions.json', write: compileInline },
];

/** What is committed and is not what the CQL compiles to. */
export function outdated(): string[] {
  return targets.filter(({ file, write }) => !existsSync(here(file)) || readFileSync(here(file), 'utf8') !== write()).map(({ file }) => file);
}

if (process.argv[1] && import.meta.filename === process.argv[1]) {
  if (process.argv.includes('--check')) {
    for (const file of outdated()) {
      console.error(`${file} is not what the CQL compiles to. Run this command without --check.`);
      process.exitCode = 1;
    }
  } else {
    for (const { file, write } of targets) writeFileSync(here(file), write());
  }
}
