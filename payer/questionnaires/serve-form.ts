import type { Expression, Extension, ValueSet } from '@medplum/fhirtypes';
import type { DtrVersion } from './dtr-version.ts';
import type { FormLibrary, PayerForm } from './form-library.ts';
import { activeCodes } from './value-set-codes.ts';

const ADAPTIVE = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-questionnaireAdaptive';
const TERMINOLOGY_SERVER = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-preferredTerminologyServer';

export interface ServedAt {
  readonly dtr: DtrVersion;
  /** Base address of this version, without a slash at the end. */
  readonly fhirBase: string;
}

/** The forms as one version of DTR writes them, from one address: where $next-question and $expand are, and ELM beside CQL that stands in a form. */
export function servedLibrary(library: FormLibrary, at: ServedAt): FormLibrary {
  const served = new Map(library.forms.map((form) => [form, servedForm(form, library.inlineElm, at)]));
  return {
    ...library,
    forms: [...served.values()],
    find(canonical) {
      const found = library.find(canonical);
      return found && served.get(found);
    },
  };
}

function servedForm({ questionnaire, adaptive, ...form }: PayerForm, inlineElm: FormLibrary['inlineElm'], at: ServedAt): PayerForm {
  const serve = <T>(part: T): T => JSON.parse(JSON.stringify(part), (key: string, value: unknown) => (key === 'extension' && Array.isArray(value) ? value.map((extension: Extension) => servedExtension(extension, inlineElm, at)) : value)) as T;
  return { ...form, questionnaire: serve(questionnaire), ...(adaptive ? { adaptive: serve(adaptive) } : {}) };
}

function servedExtension(extension: Extension, inlineElm: ReadonlyMap<string, string>, { dtr, fhirBase }: ServedAt): Extension {
  if (extension.url === TERMINOLOGY_SERVER) return { url: extension.url, valueUrl: fhirBase };
  if (extension.url === ADAPTIVE && dtr.version === '2.2.0') return { url: extension.url, valueUrl: fhirBase };
  const { valueExpression } = extension;
  const elm = valueExpression?.language === 'text/cql' ? inlineElm.get(valueExpression.expression ?? '') : undefined;
  if (!valueExpression || elm === undefined) return extension;
  // The type knows three languages; the binding is open.
  const alternative = { language: 'application/elm+json', expression: elm } as object as Expression;
  return { ...extension, valueExpression: { extension: [{ url: dtr.alternativeExpression, valueExpression: alternative }], ...valueExpression } };
}

/** As sent along in a package: expanded as of now. Undefined for what this version leaves to $expand. */
export function servedValueSet(valueSet: ValueSet, { dtr }: ServedAt, nowMs: number): ValueSet | undefined {
  const codes = activeCodes(valueSet);
  if (codes.length >= dtr.largeValueSet) return undefined;
  return { ...valueSet, expansion: { timestamp: new Date(nowMs).toISOString(), total: codes.length, contains: codes.map((code) => ({ ...code })) } };
}
