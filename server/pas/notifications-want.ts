import { randomBytes } from 'node:crypto';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import type { Kysely, Transaction } from 'kysely';
import { extensionByUrl } from '#fhir/base/extension.ts';
import { PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import type { AnyDatabase } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import type { SenderParts } from './sender-parts.ts';
import type { PasTables } from './submission-table.ts';

const TRANSMISSION_IDENTIFIERS = 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-TransmissionIdentifiers';

export const newSecret = (): string => randomBytes(32).toString('base64url');

/** The first submission of an organization to a payer also asks for its notifications; the worker makes the Subscription when it is due. */
export async function wantSubscription({ payers, now }: Pick<SenderParts, 'payers' | 'now'>, trx: Transaction<AnyDatabase>, payerId: string, bundle: Bundle): Promise<void> {
  const payer = payers.byId(payerId);
  if (payer?.subscriptions !== 'rest-hook') return;
  const organization = submitterOf(bundle, payer);
  // A comma in the filter separates organizations.
  if (!organization || /[\s,]/.test(organization)) return;
  const at = new Date(now()).toISOString();
  const pas = trx.withTables<PasTables>();
  const scope = payer.subscriptionFor === 'all-organizations' ? '*' : organization;
  const inserted = await pas
    .insertInto('pas.subscription')
    .values({
      id: uuidv7(now()), payer_id: payerId, organization_identifier: scope, organizations: JSON.stringify([organization]), pas_version: payer.pasVersion, status: 'wanted',
      secret: newSecret(), secret_at: at, next_at: at, changed_at: at,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted && payer.pasVersion === '2.2.1') await waitForSubscription(trx, bundle, now());
  if (inserted || scope !== '*') return;
  const shared = await pas.selectFrom('pas.subscription').select(['id', 'organizations']).where('payer_id', '=', payerId).where('organization_identifier', '=', scope).forUpdate().executeTakeFirst();
  const organizations = (shared?.organizations ?? []) as unknown as readonly string[];
  if (!shared || organizations.includes(organization)) return;
  await pas
    .updateTable('pas.subscription')
    .set({ organizations: JSON.stringify([...organizations, organization]), status: 'wanted', failures: 0, next_at: at, changed_at: at })
    .where('id', '=', shared.id)
    .where('status', '!=', 'removing')
    .execute();
}

/** How long an organization's first request waits for its Subscription. */
const FIRST_WAIT_MS = 5_000;

/** 2.2.1: what a payer asks for before anybody is subscribed is told to nobody, and `$inquire` lacks it. */
async function waitForSubscription(trx: Transaction<AnyDatabase>, { identifier }: Bundle, nowMs: number): Promise<void> {
  const next_at = new Date(nowMs + FIRST_WAIT_MS).toISOString();
  await trx.withTables<PasTables>().updateTable('pas.submission').set({ next_at }).where('bundle_identifier', '=', identifier?.value ?? '').where('attempts', '=', 0).execute();
}

/** The Subscription works, or will not for now: what waited for it is due. */
export async function endWait(db: Kysely<AnyDatabase>, payerId: string, nowMs: number): Promise<void> {
  await db
    .withTables<PasTables>()
    .updateTable('pas.submission')
    .set({ next_at: new Date(nowMs).toISOString() })
    .where('payer_id', '=', payerId)
    .where('status', '=', 'queued')
    .where('attempts', '=', 0)
    .where('lease_until', 'is', null)
    .execute();
}

/** 2.0.1: the requesting organization. 2.2.1: the sending system where the Claim names one, else the organization. */
export function submitterOf(bundle: Bundle, { pasVersion }: Payer): string | undefined {
  const resources: readonly (Resource | undefined)[] = bundle.entry?.map(({ resource }) => resource) ?? [];
  const transmission = pasVersion === '2.2.1' ? extensionByUrl(resources.find((resource) => resource?.resourceType === 'Claim'), TRANSMISSION_IDENTIFIERS) : undefined;
  const system = extensionByUrl(transmission, 'interchangeSenderID')?.valueString ?? extensionByUrl(transmission, 'applicationSenderCode')?.valueString;
  if (system) return system;
  const requestor = resources.find((resource) => resource?.resourceType === 'Organization' && resource.meta?.profile?.includes(PAS_PROFILES.requestor));
  return requestor?.resourceType === 'Organization' ? requestor.identifier?.[0]?.value : undefined;
}
