import type { Bundle, Claim, ClaimItem } from '@medplum/fhirtypes';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { AskedItem } from '#prior-auth/panel-api.ts';
import type { Store } from '#store/database.ts';
import { type PasTables, toSubmissionRow } from '../pas/submission-table.ts';

/** The items of the newest request of a case that left or waits to leave; undefined where none does. */
export async function readAskedItems(store: Store, { id, service, further = [] }: PriorAuthCase): Promise<readonly AskedItem[] | undefined> {
  const row = await store.db.withTables<PasTables>().selectFrom('pas.submission').selectAll().where('case_id', '=', id).where('status', 'not in', ['refused', 'withdrawn']).orderBy('queued_at', 'desc').orderBy('id', 'desc').executeTakeFirst();
  if (!row) return undefined;
  const { bundle, keys, purpose } = toSubmissionRow(row);
  const [claim] = ((JSON.parse(bundle) as Bundle).entry ?? []).flatMap(({ resource }): Claim[] => (resource?.resourceType === 'Claim' ? [resource] : []));
  const orders = new Map([service, ...further].map((each) => [each.order, each]));
  return (claim?.item ?? []).map((item): AskedItem => {
    const key = keys.items.find(({ sequence }) => sequence === item.sequence);
    const coding = item.productOrService.coding?.[0];
    const { quantity } = item;
    return {
      sequence: item.sequence,
      display: (key?.order !== undefined ? orders.get(key.order)?.display : item.sequence === 1 ? service.display : undefined) ?? item.productOrService.text ?? coding?.display ?? coding?.code ?? '',
      ...(coding?.code ? { code: coding.code } : {}),
      ...(quantity?.value === undefined ? {} : { quantity: { value: quantity.value, ...(quantity.unit ?? quantity.code ? { unit: quantity.unit ?? quantity.code ?? '' } : {}) } }),
      ...servicedOf(item),
      ...(key?.cancelled || purpose === 'cancel' ? { cancelled: true } : {}),
    };
  });
}

function servicedOf({ servicedDate, servicedPeriod }: ClaimItem): Pick<AskedItem, 'serviced'> {
  const start = servicedDate ?? servicedPeriod?.start;
  const end = servicedDate ?? servicedPeriod?.end;
  return start || end ? { serviced: { ...(start ? { start: start.slice(0, 10) } : {}), ...(end ? { end: end.slice(0, 10) } : {}) } } : {};
}
