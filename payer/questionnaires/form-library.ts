import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Library, Questionnaire, QuestionnaireItem, ValueSet } from '@medplum/fhirtypes';

/** The payer's own forms with what they need, read once from the files beside this one. */
export interface FormLibrary {
  readonly forms: readonly PayerForm[];
  /** By "url|version" or "url". */
  find(canonical: string): PayerForm | undefined;
}

export interface PayerForm {
  readonly questionnaire: Questionnaire & { readonly url: string; readonly version: string; readonly id: string };
  readonly libraries: readonly Library[];
  readonly valueSets: readonly ValueSet[];
}

const BASE = 'https://payer.openpriorauth.org/fhir';
const VERSION = '1.0.0';
const CQF_LIBRARY = 'http://hl7.org/fhir/StructureDefinition/cqf-library';
const here = (path: string) => new URL(path, import.meta.url);

export function readFormLibrary(): FormLibrary {
  const valueSets = readJsonFiles('value-sets/').map((resource) => resource as ValueSet);
  const forms = readJsonFiles('forms/').map((resource): PayerForm => {
    const questionnaire = resource as PayerForm['questionnaire'];
    const libraries = (questionnaire.extension ?? []).flatMap(({ url, valueCanonical }) => (url === CQF_LIBRARY && valueCanonical ? [readLibrary(nameOf(valueCanonical), valueSets)] : []));
    const needed = new Set([...libraries.flatMap(({ relatedArtifact }) => (relatedArtifact ?? []).map((one) => one.resource)), ...answerValueSets(questionnaire.item ?? [])]);
    return { questionnaire, libraries, valueSets: valueSets.filter((set) => needed.has(`${set.url}|${set.version}`)) };
  });
  return {
    forms,
    find(canonical) {
      const [url, version] = canonical.split('|');
      return forms.find(({ questionnaire }) => questionnaire.url === url && (version === undefined || questionnaire.version === version));
    },
  };
}

function readJsonFiles(folder: string): unknown[] {
  return readdirSync(here(folder)).filter((file) => file.endsWith('.json')).sort().map((file) => JSON.parse(readFileSync(here(`${folder}${file}`), 'utf8')) as unknown);
}

function nameOf(canonical: string): string {
  return canonical.split('|')[0]?.split('/').at(-1) ?? '';
}

function readLibrary(name: string, valueSets: readonly ValueSet[]): Library {
  const cql = readFileSync(here(`cql/${name}.cql`), 'utf8');
  const elm = here(`elm/${name}.json`);
  const used = valueSets.filter(({ url }) => url && cql.includes(`'${url}'`));
  const types = [...new Set([...cql.matchAll(/\[(\w+):/g)].flatMap(([, type]) => (type ? [type] : [])))];
  return {
    resourceType: 'Library',
    id: name,
    url: `${BASE}/Library/${name}`,
    version: VERSION,
    name,
    title: name.replace(/(?<=[a-z])(?=[A-Z])/g, ' '),
    status: 'active',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/library-type', code: 'logic-library' }] },
    ...(used.length > 0 ? { relatedArtifact: used.map((set) => ({ type: 'depends-on' as const, resource: `${set.url}|${set.version}` })) } : {}),
    dataRequirement: types.map((type) => ({ type })),
    content: [
      { contentType: 'text/cql', data: Buffer.from(cql).toString('base64') },
      ...(existsSync(elm) ? [{ contentType: 'application/elm+json', data: readFileSync(elm).toString('base64') }] : []),
    ],
  };
}

function answerValueSets(items: readonly QuestionnaireItem[]): string[] {
  return items.flatMap((item) => [...(item.answerValueSet ? [item.answerValueSet] : []), ...answerValueSets(item.item ?? [])]);
}
