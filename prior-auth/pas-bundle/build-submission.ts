import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import { PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import type { SubmissionPreview } from '../panel-api.ts';
import { buildUpdate } from './build-update.ts';
import { type IdSource, openBundleContents } from './bundle-contents.ts';
import { writeNamedProviders } from './care-team.ts';
import { eventsOf } from './claim-events.ts';
import { type DiagnosisMap, NO_DIAGNOSIS_MAP } from './diagnosis-map.ts';
import { findDiagnoses, joinDiagnoses } from './diagnoses.ts';
import { IDENTIFIER_SYSTEMS } from './identifiers.ts';
import { memberIdentifier, problem, writeCoverage, type Written, writePerson } from './members.ts';
import { writeOrder } from './order-copy.ts';
import { writeInsurer, writePractitioner, writePractitionerRole, writeRequestor } from './providers.ts';
import type { BuildRequest, PasVersion } from './request-change.ts';
import { writePlannedStay } from './planned-stay.ts';
import { readServiceLine } from './service-line.ts';
import { isInstitutional } from './setting.ts';
import { askedOrders, type SubmissionInput, type SubmissionProblem } from './submission-input.ts';
import { chooseSupporting, writeResponse, writeSupporting } from './supporting.ts';
import { summarize } from './summarize.ts';
import { PAS_DIALECTS } from './pas-dialect.ts';
import { warningsOf } from './submission-warnings.ts';
import { writeClaim } from './write-claim.ts';

export interface BuildOptions {
  readonly ids: IdSource;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Default 2.0.1. */
  readonly version?: PasVersion;
  /** Default a new request. */
  readonly request?: BuildRequest;
  /** Default: a map that knows nothing. */
  readonly diagnosisMap?: DiagnosisMap;
  /** Evidence that does not fit the target profiles: reasons by its relative reference. It is left out and named. */
  readonly refused?: Readonly<Record<string, string>>;
}

/** What the sender must remember to recognise the answer. */
export interface SubmissionKeys {
  readonly bundleIdentifier: string;
  readonly claimIdentifier: string;
  readonly claimFullUrl: string;
  /** Urn of the ordering clinician's role, when there is one. */
  readonly clinician?: string;
  /** Urns in the bundle by the record's references: an update says the same of the same. */
  readonly names?: Readonly<Record<string, string>>;
  /** `order`: relative reference of the order behind the item. `cancelled`: taken back by an update; its sequence is never used again. */
  readonly items: readonly { readonly sequence: number; readonly traceNumber: string; readonly order?: string; readonly cancelled?: true }[];
}

export type Submission =
  | { readonly kind: 'built'; readonly bundle: Bundle; readonly keys: SubmissionKeys; readonly summary: SubmissionPreview }
  /** Every problem found, not only the first. */
  | { readonly kind: 'incomplete'; readonly problems: readonly SubmissionProblem[] };

/** The bundle of a case: a new request, or an update or cancellation of one that was sent. Identifiers and urns come from `ids` in a fixed order: the same ids give the same bytes. */
export function buildSubmission(input: SubmissionInput, options: BuildOptions): Submission {
  const { request } = options;
  return request && request.kind !== 'new' ? buildUpdate(input, request, options) : buildNew(input, options);
}

function buildNew(input: SubmissionInput, { ids, now, version = '2.0.1', diagnosisMap = NO_DIAGNOSIS_MAP, refused }: BuildOptions): Submission {
  const dialect = PAS_DIALECTS[version];
  const problems: SubmissionProblem[] = [];
  const take = <T>(outcome: Written<T>): T | undefined => {
    if (outcome.kind === 'written') return outcome.resource;
    problems.push(outcome.problem);
    return undefined;
  };
  const { patient, coverage, practitioner, practitionerRole, subscriber } = input;
  const orders = askedOrders(input);
  const keys = { bundle: ids(), claim: ids(), traces: orders.map(() => ids()) };
  const contents = openBundleContents(ids, input.case.ehrBase);
  const urns = {
    claim: contents.reserve(),
    patient: contents.reserve(referenceOf(patient)),
    insurer: contents.reserve(referenceOf(input.payerOrganization), ...(coverage.payor ?? []).map(({ reference }) => reference)),
    requestor: contents.reserve(referenceOf(input.organization), referenceOf(input.clinic)),
    coverage: contents.reserve(referenceOf(coverage)),
    orders: orders.map(({ order }) => contents.reserve(referenceOf(order))),
    practitioner: practitioner ? contents.reserve(referenceOf(practitioner)) : undefined,
    role: practitioner ? contents.reserve(referenceOf(practitionerRole)) : undefined,
    subscriber: subscriber && referenceOf(subscriber) !== referenceOf(patient) ? contents.reserve(referenceOf(subscriber)) : undefined,
  };
  const responses = input.questionnaireResponses.map((response) => ({ response, urn: contents.reserve(referenceOf(response)) }));
  const supporting = chooseSupporting(input, dialect, refused);
  const evidence = supporting.sent.map(({ reference, resource }) => ({ resource, urn: contents.reserve(reference) }));

  const member = memberIdentifier(input);
  if (!member) problems.push(problem('MEMBER_ID_MISSING', 'Neither the coverage nor the patient record has a member number.', 'Enter the member number of the insurance card in the coverage.').problem);
  const asked = orders.map((each) => ({ ...each, line: readServiceLine(each, input.supporting), diagnoses: findDiagnoses(each, input, diagnosisMap) }));
  for (const { line, diagnoses } of asked) {
    if (line.kind === 'problem') problems.push(line.problem);
    if (diagnoses.kind === 'problem') problems.push(...diagnoses.problems);
  }
  for (const { response } of responses) {
    if (response.status !== 'completed' && response.status !== 'amended') {
      problems.push(problem('FORM_NOT_COMPLETED', "A form of the payer is not completed.", 'Open the form, answer what is missing and complete it.').problem);
    }
  }
  const copies = {
    patient: member && take(writePerson(patient, 'beneficiary', member)),
    subscriber: member && subscriber && urns.subscriber ? take(writePerson(subscriber, 'subscriber', member)) : undefined,
    coverage: member && take(writeCoverage(input, member, urns)),
    requestor: take(writeRequestor(input, dialect)),
    practitioner: practitioner && take(writePractitioner(practitioner, dialect)),
    orders: asked.map(({ order, line }) =>
      line.kind === 'found' ? take(writeOrder(order, line.line, { patient: urns.patient, requester: urns.role ?? urns.requestor, practitioner: urns.practitioner, isClinician: urns.role !== undefined, contents, dialect })) : undefined,
    ),
    evidence: evidence.map(({ resource, urn }) => ({ urn, resource: take(writeSupporting(resource, input, dialect)) })),
  };
  if (problems.length > 0) return { kind: 'incomplete', problems: distinctProblems(problems) };
  const clinician = urns.practitioner && urns.role ? { practitioner: urns.practitioner, role: urns.role } : undefined;
  const named = writeNamedProviders(orders.map(({ order }) => order), input.supporting, { contents, dialect, clinician });
  const lines = asked.flatMap(({ line }) => (line.kind === 'found' ? [line.line] : []));
  // Who takes a stay or a referral takes all of it; else providers belong to their items.
  const isWhole = lines.every(({ requestCategory }) => requestCategory !== 'HS');
  const events = eventsOf(lines);
  const stay = lines.find(({ requestCategory }) => requestCategory === 'AR');
  const stayUrn = stay && contents.reserve();
  const ofOrder = (index: number): readonly string[] => named.ofOrders[index] ?? [];
  const diagnoses = joinDiagnoses(asked.map((each) => (each.diagnoses.kind === 'found' ? each.diagnoses.diagnoses : [])));
  const items = asked.flatMap(({ line }, index) =>
    line.kind === 'found' ? [{ sequence: index + 1, line: line.line, careTeam: [...new Set([...(clinician ? [clinician.role] : []), ...(isWhole ? [] : ofOrder(index))])], order: urns.orders[index] ?? '', traceNumber: keys.traces[index] ?? '', diagnoses: diagnoses.sequences[index] ?? [] }] : [],
  );

  const priority = orders.map(({ service }) => service.priority).find((each) => each !== 'routine') ?? 'routine';
  const created = new Date(now).toISOString();
  contents.add(
    urns.claim,
    writeClaim({
      identifier: keys.claim,
      created,
      patient: urns.patient,
      insurer: urns.insurer,
      requestor: urns.requestor,
      coverage: urns.coverage,
      type: isInstitutional(lines.map(({ place }) => place)) ? 'institutional' : 'professional',
      overallTeam: isWhole ? [...new Set(named.ofOrders.flat())] : [],
      facility: named.facility,
      encounter: stayUrn,
      events,
      priority,
      items,
      diagnoses: diagnoses.all,
      information: [...responses, ...evidence].map(({ urn }) => urn),
    }, dialect),
  );
  if (copies.patient) contents.add(urns.patient, copies.patient);
  if (stay && stayUrn) contents.add(stayUrn, writePlannedStay(urns.patient, { priority, place: stay.place, events }));
  contents.add(urns.insurer, writeInsurer(input));
  if (copies.requestor) contents.add(urns.requestor, copies.requestor);
  if (copies.coverage) contents.add(urns.coverage, copies.coverage);
  // A subscriber that the Coverage does not point at would be an entry nothing leads to.
  if (copies.subscriber && urns.subscriber && copies.coverage?.subscriber) contents.add(urns.subscriber, copies.subscriber);
  for (const [index, order] of copies.orders.entries()) if (order) contents.add(urns.orders[index] ?? '', order);
  if (copies.practitioner && urns.practitioner && urns.role) {
    contents.add(urns.role, writePractitionerRole(practitionerRole, { practitioner: urns.practitioner, organization: urns.requestor }, [practitioner?.telecom, copies.requestor?.telecom]));
    contents.add(urns.practitioner, copies.practitioner);
  }
  // Authors of answers stay named (DTR dtrx-1), by a logical reference when they are not in the bundle.
  for (const { response, urn } of responses) contents.add(urn, writeResponse(response, urns.patient), { keepUnresolved: true });
  for (const { resource, urn } of copies.evidence) if (resource) contents.add(urn, resource);

  const bundle: Bundle = {
    resourceType: 'Bundle',
    meta: { profile: [PAS_PROFILES.requestBundle] },
    identifier: { system: IDENTIFIER_SYSTEMS.submission, value: keys.bundle },
    type: 'collection',
    timestamp: created,
    entry: claimFirst(contents.entries(), urns.claim),
  };
  const names = contents.names();
  const sentItems = items.map(({ sequence, traceNumber }, index) => ({ sequence, traceNumber, order: orders[index]?.service.order ?? '' }));
  const unmapped = asked.flatMap((each) => (each.diagnoses.kind === 'found' ? each.diagnoses.unmapped : []));
  return {
    kind: 'built',
    bundle,
    keys: { bundleIdentifier: keys.bundle, claimIdentifier: keys.claim, claimFullUrl: urns.claim, ...(clinician ? { clinician: clinician.role } : {}), names, items: sentItems },
    summary: summarize(input, { bundle, names, items: sentItems, supporting, warnings: warningsOf(bundle, { unmapped, notSent: named.notSent }) }),
  };
}

function claimFirst(entries: readonly BundleEntry[], claimUrl: string): BundleEntry[] {
  return [...entries.filter(({ fullUrl }) => fullUrl === claimUrl), ...entries.filter(({ fullUrl }) => fullUrl !== claimUrl)];
}

/** One that several orders share is said once. */
function distinctProblems(problems: readonly SubmissionProblem[]): readonly SubmissionProblem[] {
  return [...new Map(problems.map((each) => [`${each.code} ${each.message}`, each])).values()];
}

function referenceOf(resource: { readonly resourceType: string; readonly id?: string | undefined } | undefined): string | undefined {
  return resource?.id === undefined ? undefined : `${resource.resourceType}/${resource.id}`;
}
