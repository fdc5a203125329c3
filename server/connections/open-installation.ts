import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Organization } from '@medplum/fhirtypes';
import { openAuditTrail } from '#store/audit.ts';
import { openStore, type Store } from '#store/database.ts';
import { type KeyRing, openKeyRing } from '#store/signing-keys.ts';
import { DEMONSTRATION_CLINIC } from '../clinic.ts';
import { checkConnection } from './check-connection.ts';
import type { ConnectionReport } from './check-report.ts';
import { PAS_CLIENT } from './our-client.ts';
import { openPayerConnections, type PayerConnections } from './payer-connections.ts';
import type { KnownPayer } from './registered-payers.ts';
import { rotateKeys } from './rotate-keys.ts';
import { addressOf } from './running-process.ts';

export interface Installation {
  readonly keys: KeyRing;
  list(): Promise<readonly KnownPayer[]>;
  /** Undefined: there is no such payer, or it is disabled. */
  test(payerId: string): Promise<ConnectionReport | undefined>;
  rotate(times: { readonly leadMs: number; readonly overlapMs: number }): Promise<void>;
  close(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Payers and keys for a command, straight from the database. @throws StoreError, PolicyFileError */
export async function openInstallation(env: Environment): Promise<Installation> {
  const store: Store = await openStore({ dataDir: env['DATA_DIR'] || join(process.cwd(), 'data'), databaseUrl: env['DATABASE_URL'] || undefined });
  try {
    const audit = await openAuditTrail(store, Date.now, (error) => console.error('An audit entry could not be written.', error));
    const keys = await openKeyRing(store, 'server', ['ES384', 'RS384'], Date.now);
    const baseUrl = addressOf(env);
    const payers: PayerConnections = await openPayerConnections({ store, audit, now: Date.now, baseUrl, file: env['PAYERS_FILE'] || undefined, onFileFault: (error) => console.error(error.message), onReloadFault: (error) => console.error('Payers could not be read again.', error) });
    return {
      keys,
      list: async () => payers.list(),
      async test(payerId) {
        const payer = payers.byId(payerId);
        if (!payer) return undefined;
        const report = await checkConnection(payer, { ...PAS_CLIENT, keys, baseUrl, clinic: readClinic(env), now: Date.now });
        audit.record({ action: 'payer-connection-tested', who: 'admin', details: { payerId, result: report.result } });
        return report;
      },
      rotate: (times) => rotateKeys({ store, audit, keys }, times),
      async close() {
        payers.stop();
        await audit.stop();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function readClinic(env: Environment): Organization {
  return env['CLINIC_FILE'] ? (JSON.parse(readFileSync(env['CLINIC_FILE'], 'utf8')) as Organization) : DEMONSTRATION_CLINIC;
}
