import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { EhrDatabase } from '../tables.ts';
import type { SmartClient } from './client.ts';

const registeredClient = z.object({
  clientId: z.string(),
  name: z.string(),
  redirectUris: z.array(z.string()),
  jwksUri: z.string().optional(),
  secret: z.string().optional(),
  secretBy: z.enum(['client_secret_basic', 'client_secret_post']).optional(),
  scope: z.string(),
  fhirContextForm: z.enum(['object', 'string']).optional(),
  needPatientBanner: z.boolean().optional(),
  style: z.boolean().optional(),
});

/** The apps known to the sandbox: those it starts with, and those that developers registered on its page. */
export interface ClientRegister {
  find(clientId: string): Promise<SmartClient | undefined>;
  /** Gives it an id, and a secret when it is to have one. */
  add(client: Omit<SmartClient, 'clientId' | 'secret' | 'jwks'> & { readonly withSecret: boolean }): Promise<SmartClient>;
  list(): Promise<readonly SmartClient[]>;
}

const MOST_CLIENTS = 500;

export function openClientRegister(db: EhrDatabase, builtIn: readonly SmartClient[], now: () => number): ClientRegister {
  return {
    async find(clientId) {
      const known = builtIn.find((client) => client.clientId === clientId);
      if (known || !/^[\w-]{1,64}$/.test(clientId)) return known;
      const row = await db.selectFrom('ehr.client').select('registration').where('id', '=', clientId).executeTakeFirst();
      return row && registeredClient.parse(JSON.parse(row.registration));
    },
    async add({ withSecret, ...client }) {
      const clientId = `app-${randomBytes(9).toString('base64url').replace(/[^\w]/g, '0')}`;
      const registered: SmartClient = { clientId, ...client, ...(withSecret ? { secret: randomBytes(24).toString('base64url') } : {}) };
      await db.insertInto('ehr.client').values({ id: clientId, registration: JSON.stringify(registered), created_ms: now() }).execute();
      // A page that anybody on this machine may use must not grow without end: the oldest goes.
      await db.deleteFrom('ehr.client').where('id', 'not in', db.selectFrom('ehr.client').select('id').orderBy('created_ms', 'desc').limit(MOST_CLIENTS)).execute();
      return registered;
    },
    async list() {
      const rows = await db.selectFrom('ehr.client').select('registration').orderBy('created_ms', 'desc').execute();
      return [...builtIn, ...rows.map((row) => registeredClient.parse(JSON.parse(row.registration)))];
    },
  };
}
