import { createHash, randomBytes } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import type { PayerDatabase } from '../database.ts';
import { PayerError } from '../payer-error.ts';
import { holdsScope } from './scopes.ts';

export const ACCESS_TOKEN_SECONDS = 300;

/** Makes an opaque token; only its hash is kept. */
export async function issueAccessToken(db: PayerDatabase, epochMs: number, clientId: string, scope: string): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  await db.deleteFrom('payer.access_token').where('expires_at', '<', new Date(epochMs).toISOString()).execute();
  await db
    .insertInto('payer.access_token')
    .values({ token_hash: hash(token), client_id: clientId, scope, expires_at: new Date(epochMs + ACCESS_TOKEN_SECONDS * 1000).toISOString() })
    .execute();
  return token;
}

export type RequireToken = (scope: string) => RequestHandler;

/** Lets a request through when its bearer token holds the scope; the caller's client id is then at `callerOf(res)`. */
export function tokenGuard(db: PayerDatabase, now: () => number): RequireToken {
  return (scope) => async (req, res, next) => {
    const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(req.get('authorization') ?? '')?.[1];
    if (token === undefined) {
      res.set('WWW-Authenticate', 'Bearer realm="payer"');
      throw new PayerError(401, { code: 'login', text: 'Send an access token of this payer as a Bearer token.' });
    }
    const row = await db
      .selectFrom('payer.access_token')
      .select(['client_id', 'scope'])
      .where('token_hash', '=', hash(token))
      .where('expires_at', '>', new Date(now()).toISOString())
      .executeTakeFirst();
    if (!row) {
      res.set('WWW-Authenticate', 'Bearer realm="payer", error="invalid_token"');
      throw new PayerError(401, { code: 'login', text: 'The access token is unknown or has expired.' });
    }
    if (!holdsScope(row.scope, scope)) {
      res.set('WWW-Authenticate', `Bearer realm="payer", error="insufficient_scope", scope="${scope}"`);
      throw new PayerError(403, { code: 'forbidden', text: `The access token lacks the scope ${scope}.` });
    }
    res.locals['clientId'] = row.client_id;
    next();
  };
}

/** The client that the token guard let in. */
export function callerOf(res: Response): string {
  const clientId: unknown = res.locals['clientId'];
  if (typeof clientId !== 'string') throw new Error('A route read its caller without the token guard before it.');
  return clientId;
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
