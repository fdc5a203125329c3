import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '@medplum/fhirtypes';
import type { PayerDatabase, PayerTransaction } from './database.ts';

export type PayerAuditAction =
  | 'token-issued' | 'token-refused' | 'claim-submitted' | 'claim-repeated' | 'claim-refused' | 'item-decided' | 'claim-inquired'
  | 'claim-updated' | 'update-refused' | 'information-asked' | 'attachment-received' | 'attachment-refused' | 'review-claimed' | 'review-released' | 'review-noted'
  | 'subscription-written' | 'subscription-deleted' | 'notification-sent' | 'review-listed' | 'review-read' | 'metrics-read';

export interface PayerAuditEntry {
  readonly action: PayerAuditAction;
  /** Client id, "sandbox-reviewer", or "reviewer:" and the name. */
  readonly who: string;
  /** Case, item and subscription ids only. */
  readonly what?: readonly string[];
  readonly outcome?: 'success' | 'refused' | 'failed';
}

const OUTCOME_CODES = { success: '0', refused: '4', failed: '8' } as const;

/** Writes one AuditEvent with the handle given: inside a transaction it is kept or lost together with the work. */
export async function recordAudit(db: PayerDatabase | PayerTransaction, epochMs: number, entry: PayerAuditEntry): Promise<void> {
  const id = randomUUID();
  const recorded = new Date(epochMs).toISOString();
  const resource: AuditEvent = {
    resourceType: 'AuditEvent',
    id,
    type: { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest' },
    subtype: [{ system: 'https://openpriorauth.org/CodeSystem/payer-audit-action', code: entry.action }],
    recorded,
    outcome: OUTCOME_CODES[entry.outcome ?? 'success'],
    agent: [{ requestor: true, who: { identifier: { value: entry.who } } }],
    source: { observer: { display: 'Open Prior Auth payer' } },
    ...(entry.what ? { entity: entry.what.map((value) => ({ what: { identifier: { value } } })) } : {}),
  };
  await db.insertInto('payer.audit_event').values({ id, recorded, action: entry.action, resource: JSON.stringify(resource) }).execute();
}
