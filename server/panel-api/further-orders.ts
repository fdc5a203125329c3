import { relativeReference } from '#fhir/base/reference.ts';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { readRequirement } from '#prior-auth/coverage-requirement/read-requirement.ts';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { isOrder, readRequestedService } from '#prior-auth/order/read-requested-service.ts';
import { ORDER_TYPES, type Order, type RequestedService } from '#prior-auth/order/requested-service.ts';
import type { FurtherOrder } from '#prior-auth/panel-api.ts';
import type { EhrClient } from '../ehr/ehr-client.ts';
import type { CaseTables } from '../store/case-tables.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';

/** Orders of this patient that are not over, each with whether it may go with the request: same coverage, and authorization needed. */
export function listFurtherOrders(parts: PanelParts): PanelHandler<'listFurtherOrders'> {
  return async (_request, { caseId, patientId, ehr, session: { user } }) => {
    const priorAuthCase = await parts.cases.read(caseId);
    const unread: string[] = [];
    const found = await Promise.all(ORDER_TYPES.map((type) => ehr.search(type, { patient: patientId, _count: '100', status: 'active,draft,on-hold' }).catch((error: unknown) => {
      if (!(error instanceof PriorAuthError) || error.code !== 'EHR_REFUSED') throw error;
      unread.push(type);
      return [];
    })));
    const asked = new Set([priorAuthCase.service, ...(priorAuthCase.further ?? [])].map(({ order }) => order));
    const others = await otherRequests(parts, priorAuthCase);
    const orders = found.flat().filter(isOrder).filter((order) => isOfPatient(order, patientId) && !asked.has(`${order.resourceType}/${order.id}`));
    parts.audit.record({ action: 'record-read', who: user.reference, what: orders.map((order) => `${order.resourceType}/${order.id}`), caseId });
    return { orders: orders.map((order) => show(order, priorAuthCase, others)), unread };
  };
}

/** A further order as the EHR has it now. Throws ORDER_NOT_FOUND for one of another patient, CASE_STEP_NOT_ALLOWED for one that may not go with the request. */
export async function readFurther(parts: PanelParts, ehr: EhrClient, priorAuthCase: PriorAuthCase, reference: string): Promise<{ readonly service: RequestedService; readonly requirement: CoverageRequirement }> {
  const order = await ehr.follow(reference);
  if (!isOrder(order) || !isOfPatient(order, priorAuthCase.patient.id)) throw new PriorAuthError('ORDER_NOT_FOUND', 'The patient has no such order.', { nextStep: 'Load the list of orders again.' });
  const { obstacle } = show(order, priorAuthCase, await otherRequests(parts, priorAuthCase));
  const requirement = requirementOf(order, priorAuthCase);
  if (obstacle || !requirement) throw new PriorAuthError('CASE_STEP_NOT_ALLOWED', `This order cannot go with the request: ${obstacle ?? 'not-asked'}.`, { nextStep: 'Send it as a request of its own.' });
  const product = await ehr.follow(order.resourceType === 'DeviceRequest' ? order.codeReference?.reference : order.resourceType === 'MedicationRequest' ? order.medicationReference?.reference : undefined);
  return { service: readRequestedService(order, () => product), requirement };
}

/** Throws CASE_STEP_NOT_ALLOWED where the order of a case has gone to the payer with another case in the meantime. */
export async function mayNotBeAskedTwice(parts: PanelParts, priorAuthCase: PriorAuthCase): Promise<void> {
  const others = await otherRequests(parts, priorAuthCase);
  const twice = [priorAuthCase.service, ...(priorAuthCase.further ?? [])].find(({ order }) => others.get(order) === 'sent');
  if (twice) throw new PriorAuthError('CASE_STEP_NOT_ALLOWED', `The order ${twice.order} was sent to the payer with another request.`, { nextStep: 'Follow that request, or take this order out.' });
}

type Elsewhere = ReadonlyMap<string, 'sent' | 'further'>;

/** Orders of this patient's other cases: those at the payer, and those that a person put into another request. An order whose own case is only being prepared may go with this one. */
async function otherRequests({ store }: PanelParts, { id, ehrBase, patient, service: own }: PriorAuthCase): Promise<Elsewhere> {
  const rows = await store.db.withTables<CaseTables>().selectFrom('cases.prior_auth_case').select('document').where('ehr_base', '=', ehrBase).where('patient_id', '=', patient.id).where('id', '!=', id).execute();
  // Attempts of the same order follow one another: the one before does not stand in the way of a renewal.
  const others = rows.filter(({ document }) => document.service.order !== own.order);
  return new Map(others.flatMap(({ document: { service, further = [], state } }) => {
    const isAtPayer = !['questionnaire', 'ready', 'refused', 'cancelled', 'no-authorization-needed'].includes(state.kind) && !(state.kind === 'decided' && state.decision.overall === 'denied');
    return [...(isAtPayer ? [[service.order, 'sent'] as const] : []), ...further.map(({ order }) => [order, isAtPayer ? 'sent' : 'further'] as const)];
  }));
}

function show(order: Order, priorAuthCase: PriorAuthCase, others: Elsewhere): FurtherOrder {
  const reference = `${order.resourceType}/${order.id}`;
  const service = readable(() => readRequestedService(order, () => undefined));
  const date = ('authoredOn' in order ? order.authoredOn : order.resourceType === 'VisionPrescription' ? order.dateWritten : order.resourceType === 'NutritionOrder' ? order.dateTime : undefined)?.slice(0, 10);
  const requirements = readable(() => readRequirement(order));
  const requirement = requirements?.find(({ coverage }) => isSameCoverage(coverage, priorAuthCase));
  const elsewhere = others.get(reference);
  const obstacle = !service || !requirements ? 'unreadable'
    : elsewhere === 'sent' ? 'already-sent'
    : elsewhere === 'further' ? 'in-another-request'
    : requirements.length === 0 ? 'not-asked'
    : !requirement ? 'other-coverage'
    : requirement.paNeeded === 'no-auth' || requirement.paNeeded === 'satisfied' ? 'nothing-needed'
    : undefined;
  const code = service?.codings[0]?.code;
  return {
    reference,
    display: service?.display ?? order.resourceType,
    ...(code ? { code } : {}),
    ...(date ? { date } : {}),
    forms: requirement?.questionnaires.length ?? 0,
    ...(obstacle ? { obstacle } : {}),
  };
}

/** The payer's answer on an order for the coverage of the case. */
export function requirementOf(order: Order, priorAuthCase: PriorAuthCase): CoverageRequirement | undefined {
  return readable(() => readRequirement(order))?.find(({ coverage }) => isSameCoverage(coverage, priorAuthCase));
}

function isSameCoverage(coverage: string, { requirement }: PriorAuthCase): boolean {
  return (relativeReference(coverage) ?? coverage) === (relativeReference(requirement.coverage) ?? requirement.coverage);
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof PriorAuthError) return undefined;
    throw error;
  }
}

function isOfPatient(order: Order, patientId: string): boolean {
  const subject = 'subject' in order ? order.subject : 'patient' in order ? order.patient : undefined;
  return relativeReference(subject?.reference ?? '') === `Patient/${patientId}`;
}
