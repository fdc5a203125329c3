import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Extension, Library, Questionnaire, QuestionnaireItem, ValueSet } from '@medplum/fhirtypes';
import { type AdaptiveForm, readAdaptiveForm } from './adaptive-form.ts';

/** A payer's forms with what they need, read once from a folder. */
export interface FormLibrary {
  readonly forms: readonly PayerForm[];
  readonly valueSets: readonly ValueSet[];
  /** ELM, as JSON text, of the CQL that stands in the forms themselves, by that CQL. */
  readonly inlineElm: ReadonlyMap<string, string>;
  /** By "url|version", or "url" for the newest. */
  find(canonical: string): PayerForm | undefined;
  /** By "url|version" or "url". */
  findValueSet(canonical: string): ValueSet | undefined;
}

export interface PayerForm {
  readonly questionnaire: Questionnaire & { readonly url: string; readonly version: string; readonly id: string };
  readonly libraries: readonly Library[];
  readonly valueSets: readonly ValueSet[];
  /** Canonicals that the form needs and that are not here. */
  readonly unresolved: readonly string[];
  /** Present when the questions come one after the other from $next-question. */
  readonly adaptive?: AdaptiveForm;
  /** YYYY-MM-DD of the newest of the form and all it needs. */
  readonly changed: string;
}

const BASE = 'https://payer.openpriorauth.org/fhir';
const VERSION = '1.0.0';
const CQF_LIBRARY = 'http://hl7.org/fhir/StructureDefinition/cqf-library';
const UNIT_VALUE_SET = 'http://hl7.org/fhir/StructureDefinition/questionnaire-unitValueSet';
const SYSTEM_VALUE_SETS = 'http://hl7.org/fhir/ValueSet/';

/** `folder` holds forms/, and as needed adaptive/, value-sets/, cql/ and elm/; default: this payer's own. */
export function readFormLibrary(folder: string = import.meta.dirname): FormLibrary {
  const valueSets = readJsonFiles<ValueSet>(join(folder, 'value-sets'));
  const adaptive = jsonFiles(join(folder, 'adaptive')).map(readAdaptiveForm);
  const inlineElm = new Map(Object.entries(readInlineElm(folder)));
  const findValueSet = (canonical: string) => valueSets.find((set) => answersTo(set, canonical));

  const forms = readJsonFiles<PayerForm['questionnaire']>(join(folder, 'forms')).map((questionnaire): PayerForm => {
    const own = adaptive.find((form) => form.questionnaire === `${questionnaire.url}|${questionnaire.version}` || form.questionnaire === questionnaire.url);
    const items = [...(questionnaire.item ?? []), ...(own?.steps.flatMap((step) => step.items) ?? [])];
    const wantedLibraries = canonicalsOf(questionnaire.extension, CQF_LIBRARY);
    const libraries = wantedLibraries.flatMap((canonical) => readLibrary(folder, nameOf(canonical), valueSets) ?? []);
    const wantedSets = [...new Set([...libraries.flatMap(({ relatedArtifact }) => (relatedArtifact ?? []).flatMap(({ resource }) => resource ?? [])), ...valueSetsOf(items)])];
    const ownSets = wantedSets.flatMap((canonical) => findValueSet(canonical) ?? []);
    return {
      questionnaire,
      libraries,
      valueSets: [...new Set(ownSets)],
      unresolved: [
        ...wantedLibraries.filter((canonical) => !libraries.some(({ name }) => name === nameOf(canonical))),
        ...wantedSets.filter((canonical) => !findValueSet(canonical) && !canonical.startsWith(SYSTEM_VALUE_SETS)),
      ],
      ...(own ? { adaptive: own } : {}),
      changed: [questionnaire, ...libraries, ...ownSets].map(({ date }) => date?.slice(0, 10) ?? '').sort().at(-1) ?? '',
    };
  });
  const orphan = adaptive.find((form) => !forms.some((one) => one.adaptive === form));
  if (orphan) throw new Error(`There is no form ${orphan.questionnaire} for its questions`);
  return {
    forms,
    valueSets,
    inlineElm,
    find: (canonical) => forms.filter(({ questionnaire }) => answersTo(questionnaire, canonical)).sort((a, b) => b.questionnaire.version.localeCompare(a.questionnaire.version, 'en', { numeric: true }))[0],
    findValueSet,
  };
}

export function answersTo(resource: { readonly url?: string; readonly version?: string }, canonical: string): boolean {
  const [url, version] = canonical.split('|');
  return resource.url === url && (version === undefined || resource.version === version);
}

function jsonFiles(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.json')).sort().map((file) => join(folder, file)) : [];
}

function readJsonFiles<T>(folder: string): T[] {
  return jsonFiles(folder).map((file) => JSON.parse(readFileSync(file, 'utf8')) as T);
}

function readInlineElm(folder: string): Record<string, string> {
  const file = join(folder, 'elm', 'inline', 'expressions.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {};
}

function nameOf(canonical: string): string {
  return canonical.split('|')[0]?.split('/').at(-1) ?? '';
}

function readLibrary(folder: string, name: string, valueSets: readonly ValueSet[]): Library | undefined {
  const cqlFile = join(folder, 'cql', `${name}.cql`);
  if (!/^[\w-]+$/.test(name) || !existsSync(cqlFile)) return undefined;
  const cql = readFileSync(cqlFile, 'utf8');
  const elm = join(folder, 'elm', `${name}.json`);
  const used = valueSets.filter(({ url }) => url && cql.includes(`'${url}'`));
  const types = [...new Set([...cql.matchAll(/\[(\w+)[:\]]/g)].flatMap(([, type]) => (type ? [type] : [])))];
  const date = /^\/\/ Last changed (\d{4}-\d{2}-\d{2})/m.exec(cql)?.[1];
  return {
    resourceType: 'Library',
    id: name,
    url: `${BASE}/Library/${name}`,
    version: VERSION,
    name,
    title: name.replace(/(?<=[a-z])(?=[A-Z])/g, ' '),
    status: 'active',
    ...(date ? { date } : {}),
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/library-type', code: 'logic-library' }] },
    ...(used.length > 0 ? { relatedArtifact: used.map((set) => ({ type: 'depends-on' as const, resource: `${set.url}|${set.version}` })) } : {}),
    dataRequirement: types.map((type) => ({ type })),
    content: [
      { contentType: 'text/cql', data: Buffer.from(cql).toString('base64') },
      ...(existsSync(elm) ? [{ contentType: 'application/elm+json', data: readFileSync(elm).toString('base64') }] : []),
    ],
  };
}

function valueSetsOf(items: readonly QuestionnaireItem[]): string[] {
  return items.flatMap((item) => [
    ...(item.answerValueSet && !item.answerValueSet.startsWith('#') ? [item.answerValueSet] : []),
    ...canonicalsOf(item.extension, UNIT_VALUE_SET),
    ...valueSetsOf(item.item ?? []),
  ]);
}

function canonicalsOf(extensions: readonly Extension[] | undefined, wanted: string): string[] {
  return (extensions ?? []).flatMap(({ url, valueCanonical }) => (url === wanted && valueCanonical ? [valueCanonical] : []));
}
