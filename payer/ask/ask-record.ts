import type { Resource } from '@medplum/fhirtypes';
import type { PayerDatabase, PayerTransaction } from '../database.ts';
import type { PlannedItem } from '../submit/plan-items.ts';
import type { PasRequest } from '../submit/read-request.ts';
import type { Ask } from './ask.ts';

/** What is asked for and not yet answered or withdrawn, in the order it was asked. */
export async function openAsks(db: PayerDatabase | PayerTransaction, caseId: string): Promise<readonly Ask[]> {
  const rows = await db.selectFrom('payer.information_request').select('ask').where('case_id', '=', caseId).where('state', '=', 'open').orderBy('asked_at').orderBy('control_number').execute();
  return rows.map(({ ask }): Ask => JSON.parse(ask));
}

interface Passing {
  readonly from: string;
  readonly to: string;
  /** Of the new case's items, by sequence. */
  readonly itemIds: ReadonlyMap<number, string>;
  readonly items: readonly PlannedItem[];
  readonly request: PasRequest;
  readonly epochMs: number;
}

/** An update takes the asks over: a form that it carries answers, an item that is decided or taken back asks no more. */
export async function passAsksOn(trx: PayerTransaction, { from, to, itemIds, items, request, epochMs }: Passing): Promise<void> {
  const rows = await trx.selectFrom('payer.information_request').select(['id', 'ask', 'sequence', 'state']).where('case_id', '=', from).execute();
  const forms = formsIn((request.bundle.entry ?? []).flatMap(({ resource }) => resource ?? []));
  for (const { id, ask, sequence, state } of rows) {
    const itemId = itemIds.get(sequence);
    if (itemId === undefined) continue;
    const { wants }: Ask = JSON.parse(ask);
    const isPended = items.find((item) => item.sequence === sequence)?.decision.kind === 'pended';
    const isAnswered = wants.kind === 'questionnaire' && forms.includes(bare(wants.questionnaire));
    const next = state !== 'open' ? {} : isAnswered ? { state: 'answered' as const, answered_at: new Date(epochMs).toISOString() } : isPended ? {} : { state: 'withdrawn' as const };
    await trx.updateTable('payer.information_request').set({ case_id: to, item_id: itemId, ...next }).where('id', '=', id).execute();
  }
}

const bare = (canonical: string): string => canonical.split('|')[0] ?? canonical;

/** Canonicals, without version, of the completed forms, also of those in nested bundles. */
function formsIn(resources: readonly Resource[]): readonly string[] {
  return resources.flatMap((resource) => {
    if (resource.resourceType === 'Bundle') return formsIn((resource.entry ?? []).flatMap((entry) => entry.resource ?? []));
    return resource.resourceType === 'QuestionnaireResponse' && resource.questionnaire ? [bare(resource.questionnaire)] : [];
  });
}

/** What the attachments of a case hold; a nested bundle's entries are read where it is weighed. */
export async function attachmentsOf(trx: PayerTransaction, caseId: string): Promise<readonly Resource[]> {
  const rows = await trx
    .selectFrom('payer.attachment as attachment')
    .innerJoin('payer.information_request as asked', 'asked.control_number', 'attachment.control_number')
    .select('attachment.content')
    .where('asked.case_id', '=', caseId)
    .orderBy('attachment.received_at')
    .execute();
  return rows.map(({ content }): Resource => JSON.parse(content));
}
