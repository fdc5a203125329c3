import type { Coverage, Parameters, ParametersParameter, Resource } from '@medplum/fhirtypes';
import { referenceTo, relativeReference } from '#fhir/base/reference.ts';
import { PayerError, type Problem } from '../payer-error.ts';
import type { DtrVersion } from '../questionnaires/dtr-version.ts';

export interface PackageRequest {
  readonly coverages: readonly Coverage[];
  readonly orders: readonly Resource[];
  readonly questionnaires: readonly string[];
  readonly context?: string;
  readonly changedSince?: string;
}

/** DTR questionnaire-package, parameter `order`. */
const ORDER_TYPES: Readonly<Record<DtrVersion['version'], readonly string[]>> = {
  '2.0.1': ['Appointment', 'CommunicationRequest', 'DeviceRequest', 'Encounter', 'ImmunizationRecommendation', 'MedicationRequest', 'NutritionOrder', 'ServiceRequest', 'SupplyRequest', 'VisionPrescription'],
  '2.2.0': ['Appointment', 'CommunicationRequest', 'DeviceRequest', 'Encounter', 'MedicationRequest', 'NutritionOrder', 'ServiceRequest', 'SupplyRequest', 'VisionPrescription'],
};
const CANONICAL = /^[a-z][a-z0-9+.-]*:[^\s|]+(\|[^\s|]+)?$/i;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** Reads the operation's input. PayerError 400 for what is malformed. */
export function readPackageRequest(body: unknown, { version }: DtrVersion): PackageRequest {
  if (!isParameters(body)) throw new PayerError(400, { code: 'structure', text: 'Send a Parameters resource.', expression: 'Parameters' });
  const problems: Problem[] = [];
  const seen: { coverages: Coverage[]; orders: Resource[]; questionnaires: string[]; context?: string; changedSince?: string } = { coverages: [], orders: [], questionnaires: [] };
  const once = new Set<string>();
  for (const [index, part] of (body.parameter ?? []).entries()) {
    const at = `Parameters.parameter[${index}]`;
    const say = (code: Problem['code'], text: string) => problems.push({ code, text, expression: at });
    if ((part?.name === 'context' || part?.name === 'changedsince') && once.size === once.add(part.name).size) say('structure', `${part.name} is sent once.`);
    switch (part?.name) {
      case 'coverage':
        if (part.resource?.resourceType === 'Coverage' && isReadable(part.resource)) seen.coverages.push(part.resource);
        else say('required', 'coverage carries the whole Coverage resource.');
        break;
      case 'order':
        if (!part.resource) say('required', 'order carries the whole resource of the order.');
        else if (!ORDER_TYPES[version].includes(part.resource.resourceType)) say('value', `order must be one of ${ORDER_TYPES[version].join(', ')}.`);
        else if (!isReadable(part.resource)) say('structure', 'id, extensions and references of the order must be as FHIR has them.');
        else seen.orders.push(part.resource);
        break;
      case 'questionnaire':
        if (typeof part.valueCanonical === 'string' && CANONICAL.test(part.valueCanonical)) seen.questionnaires.push(part.valueCanonical);
        else say('value', 'questionnaire carries a valueCanonical, url|version.');
        break;
      case 'context':
        if (typeof part.valueString === 'string' && part.valueString) seen.context = part.valueString;
        else say('value', 'context carries a valueString.');
        break;
      case 'changedsince': {
        const since = part.valueInstant ?? part.valueDateTime;
        if (typeof since === 'string' && INSTANT.test(since) && !Number.isNaN(Date.parse(since))) seen.changedSince = since;
        else say('value', 'changedsince carries a valueInstant.');
        break;
      }
      default:
    }
  }
  if (seen.coverages.length === 0 && problems.length === 0) problems.push({ code: 'required', text: 'At least one coverage is needed.', expression: 'Parameters.parameter' });
  if (version === '2.2.0') problems.push(...coverageProblems(seen.coverages));
  if (seen.orders.length + seen.questionnaires.length === 0 && seen.context === undefined && problems.length === 0) {
    problems.push({ code: 'invariant', text: 'dtr-1: name at least one order, questionnaire or context.', expression: 'Parameters.parameter' });
  }
  if (problems.length > 0) throw new PayerError(400, problems);
  return seen;
}

/** DTR 2.2.0: exactly one; the draft that goes out with every form refers to it and to its patient. */
function coverageProblems(coverages: readonly Coverage[]): Problem[] {
  const [coverage, ...more] = coverages;
  if (!coverage) return [];
  if (more.length > 0) return [{ code: 'structure', text: 'Exactly one coverage is taken. Call once for each.', expression: 'Parameters.parameter' }];
  if (!referenceTo(coverage)) return [{ code: 'required', text: 'The coverage needs its id: the draft of the response refers to it.', expression: 'Coverage.id' }];
  if (!relativeReference(coverage.beneficiary?.reference ?? '')) return [{ code: 'required', text: 'The coverage names its beneficiary by a reference to a Patient.', expression: 'Coverage.beneficiary' }];
  return [];
}

/** The parts of a coverage or an order that are used here have the types they should have; nothing else of it is looked at. */
function isReadable(resource: Resource): boolean {
  const { id, extension, beneficiary }: { id?: unknown; extension?: unknown; beneficiary?: unknown } = resource as object;
  const patient: unknown = typeof beneficiary === 'object' && beneficiary !== null && 'reference' in beneficiary ? beneficiary.reference : undefined;
  return (id === undefined || typeof id === 'string') && (patient === undefined || typeof patient === 'string') && isExtensions(extension);
}

function isExtensions(value: unknown): boolean {
  if (value === undefined) return true;
  return Array.isArray(value) && value.every((one: unknown) => typeof one === 'object' && one !== null && (!('extension' in one) || isExtensions(one.extension)));
}

function isParameters(body: unknown): body is Parameters & { parameter?: (ParametersParameter | undefined)[] } {
  if (typeof body !== 'object' || body === null || !('resourceType' in body) || body.resourceType !== 'Parameters') return false;
  return !('parameter' in body) || (Array.isArray(body.parameter) && body.parameter.every((part) => typeof part === 'object' && part !== null));
}
