import type { DeviceRequest } from '@medplum/fhirtypes';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import type { PasSender } from '#server/pas/sender.ts';
import type { CaseStore } from '#server/store/cases.ts';
import type { Store } from '#store/database.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';

const VERSIONS = ['2.0.1', '2.2.1'] as const;

/** One payer for each version, at different addresses of the same process. */
export function chaosPayers(origin: string): Payer[] {
  return VERSIONS.map((version) => ({
    id: `chaos-${version}`,
    name: `Payer of PAS ${version} (synthetic)`,
    organizationIdentifiers: [{ system: 'https://openpriorauth.org/payer-id', value: `chaos-${version}` }],
    matchNames: [],
    fhirBase: `${origin}/${version}/fhir`,
    pasVersion: version,
    subscriptions: 'rest-hook',
    timeZone: 'America/Los_Angeles',
  }));
}

export interface Entered {
  readonly caseId: string;
  readonly member: string;
  /** How often the case was there already, because an earlier entry was cut off after it was stored. */
  readonly repeated: boolean;
}

/** Opens the n-th case and queues its request in one transaction, as the panel does; a repeated entry finds what is there. */
export async function enterCase({ store, cases, sender }: { readonly store: Store; readonly cases: CaseStore; readonly sender: PasSender }, n: number): Promise<Entered> {
  const member = memberOf(n);
  const payerId = `chaos-${VERSIONS[n % 2]}`;
  const sample = sampleInput();
  const order: DeviceRequest = { ...(sample.order as DeviceRequest), id: `order-${n}` };
  const input = sampleInput({ order, coverage: { ...sample.coverage, subscriberId: member } }, { payer: { id: payerId, name: payerId } });
  const { id: _id, version: _version, createdAt: _createdAt, updatedAt: _updatedAt, ...opening } = input.case;
  return store.transaction(async (trx) => {
    const { case: opened, opened: isNew } = await cases.open(trx, opening, 'Practitioner/clinician-1');
    if (opened.state.kind !== 'ready') return { caseId: opened.id, member, repeated: !isNew };
    const result = await sender.queueSubmission(trx, { ...input, case: opened }, 'Practitioner/clinician-1');
    if (result.kind === 'problems') throw new Error(`case ${n} cannot be sent: ${result.problems.map(({ message }) => message).join('; ')}`);
    if (result.kind === 'queued') {
      await cases.change(trx, opened.id, { expectedVersion: null, who: 'chaos', change: () => ({ state: { kind: 'queued', queuedAt: result.queuedAt, attempts: 0 } }) });
    }
    return { caseId: opened.id, member, repeated: !isNew };
  });
}

export const memberOf = (n: number): string => `M-${n}`;
