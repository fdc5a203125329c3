import { register } from 'prom-client';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import { operationOf, payerClientMetrics } from '../connections/client-metrics.ts';
import { type Connection, type ConnectionOptions, createConnection } from '../connections/connection.ts';
import { Unavailable } from '../connections/transport.ts';

export { parseJson } from '../connections/backend-services.ts';

/** What came of one request. Only `answered` carries the payer's own words. */
export type PayerReply =
  /** 2XX that the payer's quirks name, and 4XX except those below. 413 also where the body is larger than the payer takes, and was not sent. */
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  /** Nobody knows whether the payer has it: no connection, no answer in time, 5XX, 408, 425, 429, a redirect, no token. The same bytes may be sent again. */
  | { readonly kind: 'unavailable'; readonly error: string };

export interface PayerClient {
  /** POSTs FHIR JSON to `path` under the payer's FHIR base. A 401 is tried once more with a fresh token. */
  post(payer: Payer, path: string, body: string): Promise<PayerReply>;
  /** As `post`, by another method. */
  request(payer: Payer, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: string): Promise<PayerReply>;
}

export type PayerClientOptions = Omit<ConnectionOptions, 'discovers'> & {
  /** Requests go to the endpoints that the payer's davinci-configuration names. Default false: to `fhirBase`. */
  readonly discovers?: boolean;
};

/** A configured payer, and what it names as its endpoints, are the only hosts ever called. A payer whose configuration changed gets a new connection. */
export function createPayerClient({ discovers = false, ...options }: PayerClientOptions): PayerClient {
  const connections = new Map<string, { readonly payer: Payer; readonly connection: Connection }>();
  const metrics = payerClientMetrics(register);
  const connectionTo = (payer: Payer): Connection => {
    const held = connections.get(payer.id);
    if (held && (held.payer === payer || JSON.stringify(held.payer) === JSON.stringify(payer))) return held.connection;
    const connection = createConnection(payer, { ...options, discovers });
    connections.set(payer.id, { payer, connection });
    return connection;
  };

  const client: PayerClient = {
    post: (payer, path, body) => client.request(payer, 'POST', path, body),
    async request(payer, method, path, body) {
      const connection = connectionTo(payer);
      const labels = { payer: payer.id, operation: operationOf(path) };
      const done = metrics.seconds.startTimer(labels);
      try {
        const { status, body: answer } = await connection.call(method, path, body);
        metrics.requests.inc({ ...labels, outcome: `${Math.floor(status / 100)}xx` });
        return { kind: 'answered', status, body: answer };
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        metrics.requests.inc({ ...labels, outcome: error.code === 'left-alone' ? 'left-alone' : 'unavailable' });
        return { kind: 'unavailable', error: error.message };
      } finally {
        done();
        metrics.breakerOpen.set({ payer: payer.id }, connection.isLeftAlone() ? 1 : 0);
      }
    },
  };
  return client;
}
