import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import type { AuditTrail } from '#store/audit.ts';
import { FhirRefusal } from '../errors.ts';
import { parseResource } from '../fhir/structure.ts';
import { orderConcept } from '../ui/chart.ts';
import { type CoverageAnswer, coverageAnswers } from '../ui/coverage-answer.ts';
import { type Order, readOrder } from '../ui/order.ts';
import { SCREEN_ACCESS } from '../ui/people.ts';
import { UiRefusal } from '../ui/refusal.ts';
import { type AskOptions, askOrderService, type SuggestedAction } from './ask-order-service.ts';
import { type HookAnswer, keepHookAnswer, lockHookAnswer, toHookAnswer, withAccepted, withEarlierCards } from './order-answers.ts';

export interface SignOrderOptions extends AskOptions {
  readonly audit: AuditTrail;
}

export interface SignedOrder extends HookAnswer {
  readonly order: string;
  readonly coverageInformation: readonly CoverageAnswer[];
}

/** Asks the payer's CDS service, then makes the order active with what it said. Whatever goes wrong with the service, the order is signed. */
export async function signOrder(options: SignOrderOptions, user: string, reference: string): Promise<SignedOrder> {
  const { repository, audit } = options;
  const { order, patientId } = await readOrder(repository, reference);
  if (!['draft', 'active', 'on-hold'].includes(order.status ?? '')) throw new UiRefusal(409, 'ORDER_NOT_SIGNABLE', `An order that is ${order.status} cannot be signed.`);
  const began = performance.now();
  const outcome = await askOrderService(options, { hook: 'order-sign', user, order, patientId });
  const said = toHookAnswer(outcome, performance.now() - began);
  const signed: Order = { ...(outcome.kind === 'answered' ? (updateOf(order, outcome.systemActions) ?? order) : order), status: 'active' };
  const answer = await repository.transaction(async (inside) => {
    const earlier = await lockHookAnswer(inside.db, reference);
    const kept = withAccepted({ ...said, cards: withEarlierCards(said.cards, earlier?.cards ?? []) }, earlier?.accepted);
    await keepHookAnswer(inside.db, reference, repository.now(), kept);
    await inside.write([{ kind: 'put', resource: signed, ifMatch: Number(order.meta?.versionId) }], SCREEN_ACCESS).catch(refuseChangedOrder);
    return kept;
  });
  audit.record({ action: 'ehr-order-signed', who: user, what: [reference, `Patient/${patientId}`], details: { hookMs: answer.hook.ms, hookStatus: answer.hook.status ?? 0 } });
  return { order: reference, ...answer, coverageInformation: coverageAnswers(signed) };
}

function refuseChangedOrder(error: unknown): never {
  if (error instanceof FhirRefusal && (error.status === 412 || error.status === 409)) {
    throw new UiRefusal(409, 'ORDER_CHANGED', 'The order was changed while it was being signed.', 'Look at it again, then sign it.');
  }
  throw error;
}

/** The order as a systemAction changes it: only an update of this very order counts, and only when it is still for the same patient and thing. */
function updateOf(order: Order, actions: readonly SuggestedAction[]): Order | undefined {
  for (const action of actions) {
    if (action.type !== 'update') continue;
    const resource = readAction(action.resource);
    if (resource?.resourceType !== order.resourceType || resource.id !== order.id) continue;
    const changed = resource as Order;
    const sameOrder = changed.subject?.reference === order.subject.reference && JSON.stringify(codesOf(changed)) === JSON.stringify(codesOf(order));
    if (!sameOrder) continue;
    return { ...order, ...(changed.extension ? { extension: mergeExtensions(order, changed) } : {}), ...(changed.note ? { note: changed.note } : {}) };
  }
  return undefined;
}

const codesOf = (order: Order): string[] => (orderConcept(order)?.coding ?? []).map((coding) => coding.code?.trim() ?? '');

/** The payer's word replaces its earlier word; other extensions of the order stay. */
function mergeExtensions(order: Order, changed: Order): NonNullable<Order['extension']> {
  const kept = (order.extension ?? []).filter((extension) => extension.url !== CRD_URLS.coverageInformation);
  const added = (changed.extension ?? []).filter((extension) => extension.url === CRD_URLS.coverageInformation);
  return [...kept, ...added];
}

function readAction(resource: unknown): ReturnType<typeof parseResource> | undefined {
  try {
    return parseResource(resource);
  } catch (error) {
    if (error instanceof FhirRefusal) return undefined;
    throw error;
  }
}
