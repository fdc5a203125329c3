import { SCREEN_ACCESS } from '../ui/people.ts';
import type { Order } from '../ui/order.ts';
import { UiRefusal } from '../ui/refusal.ts';
import { askOrderService, type GivenCard } from './ask-order-service.ts';
import { dropAbandonedAnswers, type HookAnswer, keepHookAnswer } from './order-answers.ts';
import type { SignOrderOptions } from './sign-order.ts';

export interface SelectedOrder extends HookAnswer {
  /** The order's reference to be: the same when it is written and signed, so that the service knows it again. */
  readonly order: string;
  readonly cards: readonly GivenCard[];
}

/** Asks the payer's CDS service about an order that is being written. Nothing of the order is stored yet, only the answer. */
export async function selectOrder(options: SignOrderOptions, user: string, order: Order, patientId: string): Promise<SelectedOrder> {
  const { repository, audit } = options;
  const reference = `${order.resourceType}/${order.id}`;
  if (await repository.find(order.resourceType, order.id, SCREEN_ACCESS)) throw new UiRefusal(409, 'ORDER_ALREADY_WRITTEN', 'This order is written already.', 'Sign it from the list of orders.');
  const began = performance.now();
  const outcome = await askOrderService(options, { hook: 'order-select', user, order, patientId });
  const answer: HookAnswer = {
    hook: { ms: Math.round(performance.now() - began), status: outcome.status },
    cards: outcome.kind === 'answered' ? outcome.cards : [],
    ...(outcome.kind === 'failed' ? { failure: { message: outcome.message } } : {}),
  };
  await dropAbandonedAnswers(repository.db, repository.now());
  await keepHookAnswer(repository.db, reference, repository.now(), answer);
  audit.record({ action: 'ehr-order-selected', who: user, what: [`Patient/${patientId}`], details: { hookMs: answer.hook.ms, hookStatus: answer.hook.status ?? 0 } });
  return { order: reference, ...answer };
}
