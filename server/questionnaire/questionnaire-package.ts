import type { Bundle, Coverage, Library, OperationOutcome, Parameters, ParametersParameter, Questionnaire, QuestionnaireResponse, Resource, ValueSet } from '@medplum/fhirtypes';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { Order } from '#prior-auth/order/requested-service.ts';
import type { QuestionnairePackage } from './package.ts';

/** `fetch` that adds the payer's access token. */
export type AuthorisedFetch = (url: string, init: RequestInit) => Promise<Response>;

export interface PackageRequest {
  readonly coverage: Coverage;
  readonly order: Order;
  /** Patient, requester, performer, location, device: never supporting information. */
  readonly referenced: readonly Resource[];
  /** url|version. Empty: the payer chooses by the order. */
  readonly questionnaires: readonly string[];
  /** coverage-assertion-id of the coverage-information on the order. */
  readonly context?: string | undefined;
  /** Instant of the saved response's last update; sent when a form is resumed. */
  readonly changedSince?: string | undefined;
}

export type PackageAnswer =
  | { readonly kind: 'packages'; readonly packages: readonly QuestionnairePackage[]; readonly warnings: readonly string[] }
  /** 200 without a package: nothing to fill in, or nothing changed. */
  | { readonly kind: 'nothing-to-fill'; readonly warnings: readonly string[] };

/** DTR 2.0.1 dtr-qpackage-input-parameters. Resources go as received, coverage-information included. */
export function buildPackageRequest(request: PackageRequest): Parameters {
  const parameter: ParametersParameter[] = [
    { name: 'coverage', resource: request.coverage },
    { name: 'order', resource: request.order },
    ...request.referenced.map((resource) => ({ name: 'referenced', resource })),
    ...request.questionnaires.map((valueCanonical) => ({ name: 'questionnaire', valueCanonical })),
    ...(request.context ? [{ name: 'context', valueString: request.context }] : []),
    ...(request.changedSince ? [{ name: 'changedsince', valueInstant: request.changedSince }] : []),
  ];
  return { resourceType: 'Parameters', meta: { profile: [DTR_URLS.packageInput] }, parameter };
}

const TIMEOUT_MS = 15_000;
const MOST_BYTES = 20_000_000;

/** Throws PriorAuthError PAYER_UNAVAILABLE (network, 5xx, 429: may be sent again) or PAYER_REFUSED (4xx). */
export async function sendPackageRequest(payerBase: string, fetchAuthorised: AuthorisedFetch, body: Parameters): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetchAuthorised(`${payerBase.replace(/\/$/, '')}/Questionnaire/$questionnaire-package`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/fhir+json', Accept: 'application/fhir+json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = await response.text();
  } catch (cause) {
    if (cause instanceof PriorAuthError) throw cause;
    throw new PriorAuthError('PAYER_UNAVAILABLE', 'The payer did not send its form.', { cause, retryable: true, nextStep: 'Try again in a moment.' });
  }
  if (response.status >= 500 || response.status === 429) {
    throw new PriorAuthError('PAYER_UNAVAILABLE', `The payer answered ${response.status} to the request for its form.`, { retryable: true, nextStep: 'Try again in a moment.' });
  }
  const parsed = text.length <= MOST_BYTES ? parseJson(text) : undefined;
  if (!response.ok) {
    const words = outcomeWords(isResource(parsed, 'OperationOutcome') ? [parsed] : []);
    throw new PriorAuthError('PAYER_REFUSED', [`The payer refused to send a form (${response.status}).`, ...words].join(' '), { nextStep: 'Check the coverage and the order, or call the payer.' });
  }
  if (text.trim() === '') return { resourceType: 'Parameters' };
  if (parsed === undefined) throw unreadable();
  return parsed;
}

function unreadable(): PriorAuthError {
  return new PriorAuthError('PAYER_ANSWER_UNREADABLE', 'The payer’s answer holds no questionnaire package that can be read.', { nextStep: 'Tell the payer; fill in its form by other means.' });
}

/**
 * Reads every tolerated shape: a bare Bundle, Parameters with any part name (2.0.1 profile and operation differ), nested parts,
 * a bare Questionnaire, OperationOutcomes beside them. Resources that are no package are left out with a warning.
 */
export function readPackageAnswer(answer: unknown): PackageAnswer {
  const resources = isResource(answer, 'Parameters') ? partResources(answer.parameter) : isAnyResource(answer) ? [answer] : undefined;
  if (!resources) throw unreadable();
  const warnings = outcomeWords(resources.filter((resource) => isResource(resource, 'OperationOutcome')));
  const packages: QuestionnairePackage[] = [];
  for (const resource of resources) {
    if (isResource(resource, 'OperationOutcome')) continue;
    const content = isResource(resource, 'Bundle') ? bundleResources(resource) : [resource];
    const read = readPackage(content);
    if (read) packages.push(...read);
    else warnings.push('The payer sent something that is not a form; it was left out.');
  }
  return packages.length > 0 ? { kind: 'packages', packages: unique(packages), warnings } : { kind: 'nothing-to-fill', warnings };
}

function readPackage(resources: readonly Resource[]): QuestionnairePackage[] | undefined {
  const questionnaires = resources.filter((resource): resource is Questionnaire => isResource(resource, 'Questionnaire'));
  const [first] = questionnaires;
  if (!first) return undefined;
  const libraries = resources.filter((resource): resource is Library => isResource(resource, 'Library'));
  const valueSets = resources.filter((resource): resource is ValueSet => isResource(resource, 'ValueSet'));
  const drafts = resources.filter((resource): resource is QuestionnaireResponse => isResource(resource, 'QuestionnaireResponse'));
  // dtrb-1: one Questionnaire, first. Real packages also carry sub-questionnaires after it.
  const canonical = canonicalOf(first);
  const draft = drafts.find(({ questionnaire }) => questionnaire === canonical || questionnaire?.split('|')[0] === first.url) ?? drafts[0];
  return [{ canonical, questionnaire: first, libraries, valueSets, ...(draft ? { draft } : {}) }];
}

export function canonicalOf({ url, version, id, name }: Questionnaire): string {
  const address = url ?? `urn:questionnaire:${id ?? name ?? 'unnamed'}`;
  return version ? `${address}|${version}` : address;
}

function unique(packages: readonly QuestionnairePackage[]): QuestionnairePackage[] {
  return [...new Map(packages.map((one) => [one.canonical, one])).values()];
}

function partResources(parts: readonly ParametersParameter[] | undefined): Resource[] {
  return (parts ?? []).flatMap((part) => [...(isAnyResource(part.resource) ? [part.resource] : []), ...partResources(part.part)]);
}

function bundleResources(bundle: Bundle): Resource[] {
  return (Array.isArray(bundle.entry) ? bundle.entry : []).flatMap(({ resource }) => (isAnyResource(resource) ? [resource] : []));
}

function outcomeWords(outcomes: readonly OperationOutcome[]): string[] {
  return outcomes.flatMap(({ issue }) => (Array.isArray(issue) ? issue : [])).flatMap((issue) => {
    const words = issue?.details?.text ?? issue?.diagnostics;
    return typeof words === 'string' ? [words.slice(0, 500)] : [];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAnyResource(value: unknown): value is Resource {
  return typeof value === 'object' && value !== null && 'resourceType' in value && typeof value.resourceType === 'string';
}

function isResource<T extends Resource['resourceType']>(value: unknown, type: T): value is Extract<Resource, { resourceType: T }> {
  return isAnyResource(value) && value.resourceType === type;
}
