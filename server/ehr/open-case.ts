import type { PriorAuthCase } from '#prior-auth/case.ts';
import { mayFollow } from '#prior-auth/case.ts';
import type { PanelParts } from '../panel-api/panel-parts.ts';
import type { CaseOpening } from '../store/cases.ts';

/**
 * The case of an order: made at the first launch, found again at every later one. An order that was signed anew while its case is still
 * being prepared brings the new determination into it; once sent, a case stays what was sent.
 */
export async function openCase({ store, cases, audit }: Pick<PanelParts, 'store' | 'cases' | 'audit'>, opening: CaseOpening, who: string): Promise<PriorAuthCase> {
  return store.transaction(async (trx) => {
    const { case: found, opened } = await cases.open(trx, opening, who);
    const about = { who, what: [`Patient/${found.patient.id}`, found.service.order], caseId: found.id };
    if (opened) {
      await audit.recordWithin(trx, { action: 'case-opened', ...about });
      return found;
    }
    return cases.change(trx, found.id, {
      expectedVersion: null,
      who,
      change: (current) => {
        const { patient, requester, service, payer, requirement, state } = opening;
        if (requirement.assertionId === current.requirement.assertionId || !(state.kind === current.state.kind || mayFollow(current.state.kind, state.kind))) return undefined;
        return { patient, ...(requester ? { requester } : {}), service, payer, requirement, state };
      },
    });
  });
}
