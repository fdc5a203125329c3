import type { Bundle } from '@medplum/fhirtypes';
import type { PayerDatabase } from '../database.ts';
import type { ItemDecision } from '../submit/item-decision.ts';
import type { PartyIdentifier } from '../submit/parties.ts';
import { pasRequestOf } from '../submit/read-request.ts';
import type { HeldRequest } from './fits-inquiry.ts';

/** A request with its updates. */
interface Chain {
  readonly chainId: string;
  readonly currentId: string;
  /** The answer as it stands now. */
  readonly answer: Bundle;
  /** Every version, the current one first. */
  readonly versions: readonly HeldRequest[];
}

/** The requests of one of these members with one of these providers (third-party rule: both must be known), newest first. */
export async function findChains(db: PayerDatabase, members: readonly PartyIdentifier[], npis: readonly PartyIdentifier[]): Promise<readonly Chain[]> {
  const held = await db
    .selectFrom('payer.case_identifier as member')
    .innerJoin('payer.case_identifier as provider', 'provider.case_id', 'member.case_id')
    .innerJoin('payer.authorization_case as found', 'found.id', 'member.case_id')
    .select(['found.id', 'found.chain_id', 'found.replaced_by', 'found.request', 'found.current_answer', 'found.received_at', 'member.system', 'member.value'])
    .where('member.kind', '=', 'member')
    .where('member.value', 'in', members.map(({ value }) => value))
    .where('provider.kind', '=', 'npi')
    .where('provider.value', 'in', npis.map(({ value }) => value))
    .where('found.standing', '=', 'open')
    .orderBy('found.received_at', 'desc')
    .execute();
  const same = held.filter(({ system, value }) => members.some((member) => member.value === value && (member.system === '' || system === '' || member.system === system)));
  const cases = [...new Map(same.map((row) => [row.id, row])).values()];
  if (cases.length === 0) return [];
  const decisions = await db.selectFrom('payer.authorization_item').select(['case_id', 'sequence', 'decision']).where('case_id', 'in', cases.map(({ id }) => id)).execute();
  return cases
    .filter(({ replaced_by }) => replaced_by === null)
    .map((current) => ({
      chainId: current.chain_id ?? current.id,
      currentId: current.id,
      answer: JSON.parse(current.current_answer) as Bundle,
      versions: cases
        .filter(({ chain_id, id }) => (chain_id ?? id) === (current.chain_id ?? current.id))
        .map((row): HeldRequest => ({
          claim: pasRequestOf(JSON.parse(row.request) as Bundle).claim,
          decisions: new Map(decisions.filter(({ case_id }) => case_id === row.id).map(({ sequence, decision }): [number, ItemDecision] => [sequence, JSON.parse(decision)])),
        })),
    }));
}
