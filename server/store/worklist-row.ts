import { sql, type Transaction } from 'kysely';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { explainState } from '#prior-auth/case-words.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';
import type { InformationRequest } from '#prior-auth/payer-decision/information-request.ts';
import type { AnyDatabase } from '#store/database.ts';
import type { CaseTables } from './case-tables.ts';
import { caseClock, decisionOf, type TimeZoneOf } from './case-clock.ts';

/** Brings the case's line in the list up to date, in the transaction that changes the case. */
export async function keepWorklistRow(trx: Transaction<AnyDatabase>, found: PriorAuthCase, timeZoneOf: TimeZoneOf): Promise<void> {
  const { patient, service, further = [], payer, requester, state } = found;
  const clock = caseClock(found, timeZoneOf);
  const decision = decisionOf(found);
  const services = [service, ...further];
  const numbers = decision?.items.flatMap(({ decision: item }) => ('authorizationNumber' in item && item.authorizationNumber ? [item.authorizationNumber] : [])) ?? [];
  const text = [patient.name, patient.medicalRecordNumber, ...services.flatMap(({ display, codings }) => [display, ...codings.map(({ code }) => code)]), payer.name, decision?.preAuthRef, ...numbers];
  const row = {
    state: state.kind,
    attention: openAsks(found).length > 0 ? 0 : 1,
    must_act: explainState(found).mustAct,
    payer_id: payer.id,
    requester: requester ?? null,
    service_code: service.codings[0]?.code ?? null,
    service_name: service.display,
    clock_kind: service.priority === 'routine' ? ('standard' as const) : ('expedited' as const),
    due: clock && !clock.stoppedAt ? clock.dueAt : 'infinity',
    valid_until: decision ? validUntil(decision) : null,
    updated_at: found.updatedAt,
    words: sql<string>`array_to_tsvector(array(select jsonb_array_elements_text(${JSON.stringify(wordsOf(text.filter(Boolean).join(' ')))}::jsonb)))`,
    revision: sql<number>`nextval('cases.worklist_revision')`,
  };
  await trx
    .withTables<CaseTables>()
    .insertInto('cases.worklist_row')
    .values({ case_id: found.id, ehr_base: found.ehrBase, ...row })
    .onConflict((conflict) => conflict.column('case_id').doUpdateSet(row))
    .execute();
}

/** Words without case and accents, each once: "García, E1390" is found by "garcia" and by "e13". A lexeme has at most 2,046 bytes. */
export function wordsOf(text: string): string[] {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return [...new Set(plain.match(/[\p{L}\p{N}]+/gu) ?? [])].map((word) => word.slice(0, 100)).slice(0, 400);
}

/** Something that the payer asks for and that nobody has answered. */
export function openAsks({ state }: Pick<PriorAuthCase, 'state'>): readonly InformationRequest[] {
  return state.kind === 'pended' ? (state.asks ?? []).filter((ask) => ask.state === 'open' && ask.answer?.kind !== 'sending') : [];
}

/** The last day of the longest authorization, YYYY-MM-DD; null where the payer gave none or no end. */
function validUntil(decision: PayerDecision): string | null {
  const ends = decision.items.flatMap(({ decision: item }) => ('validity' in item && item.validity?.end ? [item.validity.end.slice(0, 10)] : []));
  return ends.filter((end) => /^\d{4}-\d\d-\d\d$/.test(end)).sort().at(-1) ?? null;
}
