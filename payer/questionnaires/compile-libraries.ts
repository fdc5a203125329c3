/*
 * Writes the ELM of the payer's CQL: `node payer/questionnaires/compile-libraries.ts`; with `--check` it only says whether what is committed is current.
 * PapDevicePrepopulation goes out as CQL alone, as many payers' libraries do, so that receivers that compile are put to use.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { SystemModelInfoProvider } from '@cqframework/cql/cql';
import { CqlCompilerOptions, CqlTranslator, createModelInfoProvider, createUcumService, LibraryBuilder, LibraryManager, ModelManager, stringAsSource } from '@cqframework/cql/cql-to-elm';

export const LIBRARIES_WITH_ELM = ['HomeOxygenPrepopulation'] as const;

const require = createRequire(import.meta.url);
const here = (path: string) => new URL(path, import.meta.url);

/** This payer's CQL has calendar units only; the translator asks for a unit service all the same. */
const noConversion = (): never => {
  throw new Error('Unit conversion is not used');
};
const calendarUnits = createUcumService(noConversion, (unit: string) => (/^(year|month|week|day)s?$/.test(unit) ? null : `unit ${unit} is not expected here`), noConversion, noConversion);

export function compileLibrary(name: string): string {
  const options = new CqlCompilerOptions();
  const { EnableLocators, DisableListDemotion, DisableListPromotion } = CqlCompilerOptions.Options;
  options.setOptions([EnableLocators, DisableListDemotion, DisableListPromotion]);
  options.signatureLevel = LibraryBuilder.SignatureLevel.All;
  const models = new ModelManager();
  models.modelInfoLoader.registerModelInfoProvider(new SystemModelInfoProvider());
  const fhirModel = readFileSync(require.resolve('cql-exec-fhir/lib/modelInfos/fhir-modelinfo-4.0.1.xml'), 'utf8');
  models.modelInfoLoader.registerModelInfoProvider(createModelInfoProvider((id: string) => (id === 'FHIR' ? stringAsSource(fhirModel) : null)), true);
  const translator = CqlTranslator.fromText(readFileSync(here(`cql/${name}.cql`), 'utf8'), new LibraryManager(models, options, undefined, calendarUnits));
  const errors = translator.errors.asJsReadonlyArrayView();
  if (errors.length > 0) throw new Error(`${name}: ${errors.map(({ message }) => message).join('; ')}`);
  return `${JSON.stringify(JSON.parse(translator.toJson()), null, 1)}\n`;
}

export function isCurrent(name: string): boolean {
  const file = here(`elm/${name}.json`);
  return existsSync(file) && readFileSync(file, 'utf8') === compileLibrary(name);
}

if (process.argv[1] && import.meta.filename === process.argv[1]) {
  for (const name of LIBRARIES_WITH_ELM) {
    if (!process.argv.includes('--check')) writeFileSync(here(`elm/${name}.json`), compileLibrary(name));
    else if (!isCurrent(name)) {
      console.error(`elm/${name}.json is not what cql/${name}.cql compiles to. Run this command without --check.`);
      process.exitCode = 1;
    }
  }
}
