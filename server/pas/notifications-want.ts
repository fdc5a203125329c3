import { randomBytes } from 'node:crypto';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import type { Transaction } from 'kysely';
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

/** 2.0.1: the requesting organization. 2.2.1: the sending system where the Claim names one, else the organization. */
export function submitterOf(bundle: Bundle, { pasVersion }: Payer): string | undefined {
  const resources: readonly (Resource | undefined)[] = bundle.entry?.map(({ resource }) => resource) ?? [];
  const transmission = pasVersion === '2.2.1' ? extensionByUrl(resources.find((resource) => resource?.resourceType === 'Claim'), TRANSMISSION_IDENTIFIERS) : undefined;
  const system = extensionByUrl(transmission, 'interchangeSenderID')?.valueString ?? extensionByUrl(transmission, 'applicationSenderCode')?.valueString;
  if (system) return system;
  const requestor = resources.find((resource) => resource?.resourceType === 'Organization' && resource.meta?.profile?.includes(PAS_PROFILES.requestor));
  return requestor?.resourceType === 'Organization' ? requestor.identifier?.[0]?.value : undefined;
}
