import type { Bundle, Library, OperationOutcome, Parameters, ParametersParameter, Questionnaire, QuestionnaireItem, QuestionnaireResponse, Resource, ValueSet } from '@medplum/fhirtypes';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { readPayerResponse } from '#prior-auth/questionnaire/dtr-versions/read-payer-response.ts';
import type { QuestionnairePackage } from './package.ts';
import { packageFaults, sayFault } from './package-faults.ts';

export type PackageAnswer =
  | { readonly kind: 'packages'; readonly packages: readonly QuestionnairePackage[]; readonly warnings: readonly string[] }
  /** 200 without a package: nothing to fill in, or nothing changed. */
  | { readonly kind: 'nothing-to-fill'; readonly warnings: readonly string[] };

export function unreadable(what: string): PriorAuthError {
  return new PriorAuthError('PAYER_ANSWER_UNREADABLE', what, { nextStep: 'Tell the payer; fill in its form by other means.' });
}

/**
 * Reads every tolerated shape: a bare Bundle, Parameters with any part name in any case (2.0.1 profile, 2.0.1 operation and 2.2.0 differ), nested parts,
 * a bare Questionnaire, OperationOutcomes beside them. Resources that are no package are left out with a warning.
 */
export function readPackageAnswer(answer: unknown): PackageAnswer {
  const resources = answerResources(answer);
  if (!resources) throw unreadable('The payer’s answer holds no questionnaire package that can be read.');
  const warnings = outcomeWords(resources.filter((resource) => isResource(resource, 'OperationOutcome')));
  const packages: QuestionnairePackage[] = [];
  for (const resource of resources) {
    if (isResource(resource, 'OperationOutcome')) continue;
    const content = isResource(resource, 'Bundle') ? bundleResources(resource) : [resource];
    warnings.push(...outcomeWords(content.filter((each) => isResource(each, 'OperationOutcome'))));
    const read = readPackages(content);
    if (read.length > 0) packages.push(...read);
    if (read.length > 1) warnings.push('The payer sent several forms in one package. Each is shown as a form of its own.');
    if (read.length === 0) warnings.push('The payer sent something that is not a form; it was left out.');
  }
  return packages.length > 0 ? { kind: 'packages', packages: unique(packages), warnings } : { kind: 'nothing-to-fill', warnings };
}

/** The resources of an answer in Parameters or bare; undefined for what is no FHIR resource. */
export function answerResources(answer: unknown): Resource[] | undefined {
  return isResource(answer, 'Parameters') ? partResources(answer.parameter) : isAnyResource(answer) ? [answer] : undefined;
}

const SUB_QUESTIONNAIRE = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-subQuestionnaire';
const ADAPTIVE = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-questionnaireAdaptive';

/** dtrb-1 wants one Questionnaire, first. Payers also send several: what another takes in by sub-questionnaire is put where it belongs, the rest are forms of their own. */
function readPackages(resources: readonly Resource[]): QuestionnairePackage[] {
  const questionnaires = resources.filter((resource): resource is Questionnaire => isResource(resource, 'Questionnaire'));
  const libraries = resources.filter((resource): resource is Library => isResource(resource, 'Library'));
  const valueSets = resources.filter((resource): resource is ValueSet => isResource(resource, 'ValueSet'));
  const drafts = resources.filter((resource): resource is QuestionnaireResponse => isResource(resource, 'QuestionnaireResponse'));
  const used = new Set<Questionnaire>();
  const assembled = questionnaires.map((questionnaire) => assemble(questionnaire, questionnaires, used));
  return questionnaires.flatMap((original, index): QuestionnairePackage[] => {
    const questionnaire = assembled[index];
    if (!questionnaire || used.has(original) || (isEmpty(questionnaire) && !assembled.every(isEmpty))) return [];
    const canonical = canonicalOf(questionnaire);
    const draft = drafts.find((each) => each.questionnaire === canonical || each.questionnaire?.split('|')[0] === questionnaire.url) ?? (questionnaires.length === 1 ? drafts[0] : undefined);
    const adaptive = questionnaire.extension?.find(({ url }) => url === ADAPTIVE);
    const base = adaptive?.valueUrl ?? adaptive?.valueUri;
    const content = {
      canonical, questionnaire, libraries, valueSets,
      ...(draft ? { draft: readPayerResponse(draft) } : {}),
      ...(adaptive && adaptive.valueBoolean !== false ? { adaptive: base ? { base } : {} } : {}),
    };
    const faults = packageFaults(content);
    return [{ ...content, ...(faults.length > 0 ? { faults, warnings: [...new Set(faults.flatMap((fault) => sayFault(fault) ?? []))] } : {}) }];
  });
}

/** Nothing to fill in; a payer's library of forms holds such stubs beside the real ones. */
function isEmpty({ item, extension }: Questionnaire): boolean {
  return !item?.length && !extension?.some(({ url, valueBoolean }) => url === ADAPTIVE && valueBoolean !== false);
}

/** SDC modular forms: an item that names a sub-questionnaire stands for that one's items. `used` receives those taken in; a circle is cut. */
function assemble(questionnaire: Questionnaire, all: readonly Questionnaire[], used: Set<Questionnaire>, outer: readonly Questionnaire[] = []): Questionnaire {
  const within = [...outer, questionnaire];
  const replace = (item: QuestionnaireItem): QuestionnaireItem[] => {
    const named = item.extension?.find(({ url }) => url === SUB_QUESTIONNAIRE)?.valueCanonical;
    const sub = named === undefined ? undefined : all.find((one) => !within.includes(one) && isNamed(one, named));
    if (!sub) return [item.item ? { ...item, item: item.item.flatMap(replace) } : item];
    used.add(sub);
    return assemble(sub, all, used, within).item ?? [];
  };
  if (!JSON.stringify(questionnaire.item ?? []).includes(SUB_QUESTIONNAIRE)) return questionnaire;
  const item = questionnaire.item?.flatMap(replace) ?? [];
  const taken = [...used].filter((sub) => sub !== questionnaire);
  const inherited = taken.flatMap(({ extension }) => (extension ?? []).filter(({ url }) => url === 'http://hl7.org/fhir/StructureDefinition/cqf-library' || url === 'http://hl7.org/fhir/StructureDefinition/variable'));
  return { ...questionnaire, item, ...(inherited.length > 0 ? { extension: [...(questionnaire.extension ?? []), ...inherited] } : {}) };
}

/** By url with or without version, by relative reference, or by name: all occur. */
function isNamed({ url, version, id, name }: Questionnaire, canonical: string): boolean {
  const [address = '', wanted] = canonical.split('|');
  if (wanted !== undefined && version !== undefined && wanted !== version) return false;
  const last = address.split('/').at(-1);
  return url === address || (id !== undefined && last === id) || (name !== undefined && last === name);
}

export function canonicalOf({ url, version, id, name }: Questionnaire): string {
  const address = url ?? `urn:questionnaire:${id ?? name ?? 'unnamed'}`;
  return version ? `${address}|${version}` : address;
}

function unique(packages: readonly QuestionnairePackage[]): QuestionnairePackage[] {
  return [...new Map(packages.map((one) => [one.canonical, one])).values()];
}

function partResources(parts: Parameters['parameter']): Resource[] {
  return (Array.isArray(parts) ? parts : []).flatMap((part: ParametersParameter) => [...(isAnyResource(part?.resource) ? [part.resource] : []), ...partResources(part?.part)]);
}

function bundleResources(bundle: Bundle): Resource[] {
  return (Array.isArray(bundle.entry) ? bundle.entry : []).flatMap((entry) => (isAnyResource(entry?.resource) ? [entry.resource] : []));
}

export function outcomeWords(outcomes: readonly OperationOutcome[]): string[] {
  return outcomes.flatMap(({ issue }) => (Array.isArray(issue) ? issue : [])).flatMap((issue) => {
    const words = issue?.details?.text ?? issue?.diagnostics;
    return typeof words === 'string' ? [words.slice(0, 500)] : [];
  });
}

function isAnyResource(value: unknown): value is Resource {
  return typeof value === 'object' && value !== null && 'resourceType' in value && typeof value.resourceType === 'string';
}

export function isResource<T extends Resource['resourceType']>(value: unknown, type: T): value is Extract<Resource, { resourceType: T }> {
  return isAnyResource(value) && value.resourceType === type;
}
