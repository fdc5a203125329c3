import type { Coverage, Parameters, ParametersParameter, Resource } from '@medplum/fhirtypes';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import type { DtrVersion } from '#prior-auth/coverage-requirement/payer.ts';
import type { Order } from '#prior-auth/order/requested-service.ts';
import { callOperation, operationUrl, type PayerAccess, refusal } from './payer-operation.ts';
import { type PackageAnswer, readPackageAnswer } from './read-package.ts';

export interface PackageRequest {
  /** Of this payer only. */
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

/** dtr-qpackage-input-parameters. Resources go as received, coverage-information included. 2.2.0 took `referenced` out of the operation's definition, though not of its text. */
export function buildPackageRequest(request: PackageRequest, version: DtrVersion = '2.0.1'): Parameters {
  const parameter: ParametersParameter[] = [
    { name: 'coverage', resource: request.coverage },
    { name: 'order', resource: request.order },
    ...(version === '2.0.1' ? request.referenced.map((resource) => ({ name: 'referenced', resource })) : []),
    ...request.questionnaires.map((valueCanonical) => ({ name: 'questionnaire', valueCanonical })),
    ...(request.context ? [{ name: 'context', valueString: request.context }] : []),
    ...(request.changedSince ? [{ name: 'changedsince', valueInstant: request.changedSince }] : []),
  ];
  return { resourceType: 'Parameters', meta: { profile: [DTR_URLS.packageInput] }, parameter };
}

const TIMEOUT_MS = 15_000;
const WHAT = 'its form';
const UNKNOWN_TO_PAYER: ReadonlySet<number> = new Set([400, 404, 422]);

/** Throws PriorAuthError PAYER_UNAVAILABLE, PAYER_REFUSED with the payer's instructions, PAYER_ANSWER_UNREADABLE. */
export async function fetchPackages(access: PayerAccess, request: PackageRequest): Promise<PackageAnswer> {
  const ask = (asked: PackageRequest) => callOperation(access.fetch, operationUrl(access, 'questionnairePackage'), buildPackageRequest(asked, access.dtr.version), TIMEOUT_MS, WHAT);
  const reply = await ask(request);
  if (reply.kind === 'answered') return readPackageAnswer(reply.body);
  // 2.2.0: a payer refuses a context that it did not assert itself, as when another service answered for it. The order says the same.
  if (request.context !== undefined && UNKNOWN_TO_PAYER.has(reply.status)) {
    const { context: _context, ...withoutContext } = request;
    const again = await ask(withoutContext);
    if (again.kind === 'answered') return readPackageAnswer(again.body);
  }
  throw refusal(reply, WHAT);
}
