import type { BundleEntry, Claim, ClaimDiagnosis, ClaimItem } from '@medplum/fhirtypes';
import type { SubmissionKeys } from './build-submission.ts';
import type { BundleContents, IdSource } from './bundle-contents.ts';
import { findDiagnoses } from './diagnoses.ts';
import { problem, type Written } from './members.ts';
import { writeOrder } from './order-copy.ts';
import type { PasDialect } from './pas-dialect.ts';
import type { RequestChange } from './request-change.ts';
import { readServiceLine } from './service-line.ts';
import { askedOrders, type SubmissionInput, type SubmissionProblem } from './submission-input.ts';
import { chooseSupporting, writeResponse, writeSupporting } from './supporting.ts';
import { writeDiagnosis, writeItem } from './write-claim.ts';

/** What an update adds to a request. */
export interface AddedOrders {
  readonly kind: 'written';
  readonly items: readonly ClaimItem[];
  readonly keys: SubmissionKeys['items'];
  /** Urns of supporting information that was not sent before. */
  readonly information: readonly string[];
  readonly diagnosis: readonly ClaimDiagnosis[];
  readonly entries: readonly BundleEntry[];
}

interface Addition {
  readonly sent: Claim;
  readonly contents: BundleContents;
  readonly ids: IdSource;
  readonly change: RequestChange;
  readonly sentNames: Readonly<Record<string, string>>;
  readonly nextSequence: number;
  readonly dialect: PasDialect;
}

/** Orders that join a request, and forms and evidence that it did not carry yet: its patient, clinician and clinic are those of the request. */
export function writeAddedOrders(input: SubmissionInput, { sent, contents, ids, change, sentNames, nextSequence, dialect }: Addition): AddedOrders | { readonly kind: 'incomplete'; readonly problems: readonly SubmissionProblem[] } {
  const problems: SubmissionProblem[] = [];
  const take = <T>(outcome: Written<T>): T | undefined => {
    if (outcome.kind === 'written') return outcome.resource;
    problems.push(outcome.problem);
    return undefined;
  };
  const patient = sent.patient.reference ?? '';
  const clinician = sent.careTeam?.[0]?.provider.reference;
  const links = { patient, requester: clinician ?? sent.provider.reference ?? '', contents };
  const isNew = (resource: { readonly resourceType: string; readonly id?: string | undefined }): boolean => resource.id !== undefined && sentNames[`${resource.resourceType}/${resource.id}`] === undefined;

  const known = [...(sent.diagnosis ?? [])];
  const diagnosis: ClaimDiagnosis[] = [];
  const sequencesOf = (order: (typeof orders)[number]): number[] => {
    const found = findDiagnoses(order.service, input);
    if (found.kind === 'problem') {
      problems.push(found.problem);
      return [];
    }
    return found.diagnoses.flatMap((each) => {
      const standing = [...known, ...diagnosis].find(({ diagnosisCodeableConcept }) => diagnosisCodeableConcept?.coding?.some(({ code }) => code === each.code));
      if (standing) return [standing.sequence];
      const sequence = Math.max(0, ...[...known, ...diagnosis].map((one) => one.sequence)) + 1;
      diagnosis.push(writeDiagnosis(each, sequence));
      return [sequence];
    });
  };
  const orders = askedOrders(input).filter(({ service }) => change.add.includes(service.order));
  for (const missing of change.add.filter((reference) => !orders.some(({ service }) => service.order === reference))) {
    problems.push(problem('ORDER_NOT_FOUND', `The order ${missing} that is to be added was not found.`, 'Choose the order again in the panel.').problem);
  }
  const responses = input.questionnaireResponses.filter(isNew).map((response) => ({ response, urn: contents.reserve(`QuestionnaireResponse/${response.id}`) }));
  const evidence = chooseSupporting(input, dialect).filter(isNew).map((resource) => ({ resource, urn: contents.reserve(`${resource.resourceType}/${resource.id}`) }));
  const written = orders.map((each, index) => {
    const line = readServiceLine(each, input.supporting);
    if (line.kind === 'problem') {
      problems.push(line.problem);
      return undefined;
    }
    const urn = contents.reserve(each.service.order);
    const order = take(writeOrder(each.order, line.line, links));
    if (order) contents.add(urn, order);
    const facts = { sequence: nextSequence + index, line: line.line, order: urn, traceNumber: ids(), diagnoses: sequencesOf(each) };
    return { item: writeItem(facts, { careTeam: clinician ? [1] : [], information: [] }, dialect), key: { sequence: facts.sequence, traceNumber: facts.traceNumber, order: each.service.order } };
  });
  for (const { response, urn } of responses) contents.add(urn, writeResponse(response, patient), { keepUnresolved: true });
  for (const { resource, urn } of evidence) {
    const copy = take(writeSupporting(resource, input, dialect));
    if (copy) contents.add(urn, copy);
  }
  if (problems.length > 0) return { kind: 'incomplete', problems };
  return {
    kind: 'written',
    items: written.flatMap((each) => (each ? [each.item] : [])),
    keys: written.flatMap((each) => (each ? [each.key] : [])),
    information: [...responses, ...evidence].map(({ urn }) => urn),
    diagnosis,
    entries: contents.entries(),
  };
}
