import type { Coverage, Parameters, ParametersParameter, Resource } from '@medplum/fhirtypes';
import { PayerError, type Problem } from '../payer-error.ts';

export interface PackageRequest {
  readonly coverages: readonly Coverage[];
  readonly orders: readonly Resource[];
  readonly questionnaires: readonly string[];
  readonly context?: string;
  readonly changedSince?: string;
}

/** DTR 2.0.1 questionnaire-package, parameter `order`. */
const ORDER_TYPES: readonly string[] = [
  'Appointment', 'CommunicationRequest', 'DeviceRequest', 'Encounter', 'ImmunizationRecommendation', 'MedicationRequest', 'NutritionOrder', 'ServiceRequest', 'SupplyRequest', 'VisionPrescription',
];
const CANONICAL = /^[a-z][a-z0-9+.-]*:[^\s|]+(\|[^\s|]+)?$/i;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** Reads the operation's input. PayerError 400 for what is malformed, 422 for what is well-formed but cannot be used. */
export function readPackageRequest(body: unknown): PackageRequest {
  if (!isParameters(body)) throw new PayerError(400, { code: 'structure', text: 'Send a Parameters resource.', expression: 'Parameters' });
  const problems: Problem[] = [];
  const seen: { coverages: Coverage[]; orders: Resource[]; questionnaires: string[]; context?: string; changedSince?: string } = { coverages: [], orders: [], questionnaires: [] };
  for (const [index, part] of (body.parameter ?? []).entries()) {
    const at = `Parameters.parameter[${index}]`;
    const say = (code: Problem['code'], text: string) => problems.push({ code, text, expression: at });
    switch (part?.name) {
      case 'coverage':
        if (part.resource?.resourceType === 'Coverage') seen.coverages.push(part.resource);
        else say('required', 'coverage carries the whole Coverage resource.');
        break;
      case 'order':
        if (!part.resource) say('required', 'order carries the whole resource of the order.');
        else if (!ORDER_TYPES.includes(part.resource.resourceType)) say('value', `order must be one of ${ORDER_TYPES.join(', ')}.`);
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
  if (seen.orders.length + seen.questionnaires.length === 0 && seen.context === undefined && problems.length === 0) {
    problems.push({ code: 'invariant', text: 'dtr-1: name at least one order, questionnaire or context.', expression: 'Parameters.parameter' });
  }
  if (problems.length > 0) throw new PayerError(400, problems);
  if (seen.orders.length + seen.questionnaires.length === 0) {
    throw new PayerError(422, { code: 'not-found', text: 'This context is not known here. Send the order, or the questionnaires that its coverage information names.', expression: 'Parameters.parameter' });
  }
  return seen;
}

function isParameters(body: unknown): body is Parameters & { parameter?: (ParametersParameter | undefined)[] } {
  if (typeof body !== 'object' || body === null || !('resourceType' in body) || body.resourceType !== 'Parameters') return false;
  return !('parameter' in body) || (Array.isArray(body.parameter) && body.parameter.every((part) => typeof part === 'object' && part !== null));
}
