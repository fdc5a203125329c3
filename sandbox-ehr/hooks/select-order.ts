import { SCREEN_ACCESS } from '../ui/people.ts';
import { type Order, refuseWrittenOrder } from '../ui/order.ts';
import { askOrderService } from './ask-order-service.ts';
import { dropAbandonedAnswers, type HookAnswer, keepHookAnswer, lockHookAnswer, toHookAnswer, withAccepted } from './order-answers.ts';
import type { SignOrderOptions } from './sign-order.ts';

export interface SelectedOrder extends HookAnswer {
  /** The order's reference to be: the same when it is written and signed, so that the service knows it again. */
  readonly order: string;
}

/** Asks the payer's CDS service about an order that is being written. Nothing of the order is stored yet, only the answer. */
export async function selectOrder(options: SignOrderOptions, user: string, order: Order, patientId: string): Promise<SelectedOrder> {
  const { repository, audit } = options;
  const reference = `${order.resourceType}/${order.id}`;
  await refuseWrittenOrder(repository, order, SCREEN_ACCESS);
  const began = performance.now();
  const said = toHookAnswer(await askOrderService(options, { hook: 'order-select', user, order, patientId }), performance.now() - began);
  await dropAbandonedAnswers(repository.db, repository.now());
  const answer = await repository.transaction(async (inside) => {
    const kept = withAccepted(said, (await lockHookAnswer(inside.db, reference))?.accepted);
    await keepHookAnswer(inside.db, reference, repository.now(), kept);
    return kept;
  });
  audit.record({ action: 'ehr-order-selected', who: user, what: [`Patient/${patientId}`], details: { hookMs: answer.hook.ms, hookStatus: answer.hook.status ?? 0 } });
  return { order: reference, ...answer };
}
