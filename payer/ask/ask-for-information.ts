import { randomUUID } from 'node:crypto';
import type { Bundle } from '@medplum/fhirtypes';
import { extensionByUrl } from '#fhir/base/extension.ts';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import { recordAudit } from '../audit.ts';
import type { PayerTransaction } from '../database.ts';
import type { PayerSetting } from '../payer-setting.ts';
import { answerAnew } from '../review/decide-pended.ts';
import { newControlNumber } from '../submit/item-decision.ts';
import { pasRequestOf } from '../submit/read-request.ts';
import type { Ask } from './ask.ts';

interface Wanted {
  readonly wants: Extract<Ask['wants'], { kind: 'attachment' }> | { readonly kind: 'questionnaire'; readonly questionnaire: string };
  readonly text: string | undefined;
  readonly due: string | undefined;
  readonly askedBy: string;
}

/**
 * Asks the provider for more before a pended item is decided: kept, put into the case's answer and told to its subscribers. Until it is answered
 * the stand-in reviewer does not decide. The item's row must be locked.
 */
export async function askForInformation(setting: PayerSetting, trx: PayerTransaction, item: { readonly id: string; readonly case_id: string; readonly sequence: number }, { wants, text, due, askedBy }: Wanted): Promise<{ readonly controlNumber: string; readonly context: string | null }> {
  const found = await trx.selectFrom('payer.authorization_case').select(['client_id', 'request']).where('id', '=', item.case_id).executeTakeFirstOrThrow();
  const controlNumber = newControlNumber();
  const asked = pasRequestOf(JSON.parse(found.request) as Bundle).claim.item?.find(({ sequence }) => sequence === item.sequence);
  // PAS: the trace number of the item is the context of its questionnaire.
  const context = wants.kind === 'questionnaire' ? (extensionByUrl(asked, PAS_EXTENSIONS.itemTraceNumber)?.valueIdentifier?.value ?? controlNumber) : null;
  const ask: Ask = {
    controlNumber,
    sequence: item.sequence,
    wants: wants.kind === 'questionnaire' ? { ...wants, context: context ?? controlNumber } : wants,
    ...(text === undefined ? {} : { text }),
    ...(due === undefined ? {} : { due }),
  };
  const at = new Date(setting.now()).toISOString();
  await trx
    .insertInto('payer.information_request')
    .values({ id: randomUUID(), case_id: item.case_id, item_id: item.id, client_id: found.client_id, sequence: item.sequence, control_number: controlNumber, context, ask: JSON.stringify(ask), state: 'open', asked_by: askedBy, asked_at: at, answered_at: null })
    .execute();
  await trx.updateTable('payer.authorization_item').set({ due_at: null }).where('id', '=', item.id).execute();
  await answerAnew(setting, trx, item.case_id);
  await recordAudit(trx, setting.now(), { action: 'information-asked', who: `reviewer:${askedBy}`, what: [item.case_id, item.id] });
  return { controlNumber, context };
}
