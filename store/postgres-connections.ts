import { Socket } from 'node:net';
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import pg from 'pg';
import { StoreError } from './errors.ts';

/** A pool that does not wait for ever on a server, or a network in between, that has fallen silent. */
export interface PostgresConnections {
  readonly pool: pg.Pool;
  /** Connections of the pool for Kysely. One that leaves a statement unanswered for so long is given up, and the statement fails (STORE_SILENT); undefined: any time may be taken. */
  answeringWithin(ms: number | undefined): PostgresPool;
  /** Ends them. What has not said goodbye within a second is cut off. */
  close(): Promise<void>;
}

const GOODBYE_MS = 1_000;

export function openConnections(connectionString: string): PostgresConnections {
  pg.types.setTypeParser(20, Number);
  const sockets = new Set<Socket>();
  const stream = (): Socket => {
    const socket = new Socket();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  const pool = new pg.Pool({ connectionString, max: 16, connectionTimeoutMillis: 5_000, keepAlive: true, keepAliveInitialDelayMillis: 10_000, stream });
  // A lost connection is told twice: to the query that runs on it, which fails, and as an event that ends the process when unheard.
  // The pool hears it for idle connections only; a transaction between two of its statements holds one that nobody listens to.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
        resolve();
      }, GOODBYE_MS);
    });
    await Promise.race([pool.end(), late]).finally(() => clearTimeout(timer));
  };
  return {
    pool,
    answeringWithin: (ms) => ({
      options: pool.options,
      connect: async () => (ms === undefined ? pool.connect() : new TimedConnection(await pool.connect(), ms)),
      end: () => (closing ??= close()),
    }),
    close: () => (closing ??= close()),
  };
}

class TimedConnection implements PostgresPoolClient {
  readonly #client: PostgresPoolClient;
  readonly #limitMs: number;
  #silent: StoreError | undefined;

  constructor(client: PostgresPoolClient, limitMs: number) {
    this.#client = client;
    this.#limitMs = limitMs;
  }

  query<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(asked: string | PostgresCursor<R>, parameters: readonly unknown[] = []): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    return typeof asked === 'string' ? this.#inTime(asked, parameters) : this.#client.query(asked);
  }

  release(destroy?: boolean): void {
    if (!this.#silent) this.#client.release(destroy);
  }

  async #inTime<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    if (this.#silent) throw this.#silent;
    let timer: NodeJS.Timeout | undefined;
    let ended = false;
    const late = new Promise<never>((_, reject) => {
      // After a pause of this process, an answer that has come meanwhile is read before the immediate runs.
      timer = setTimeout(() => setImmediate(() => (ended ? undefined : reject(this.#giveUp()))), this.#limitMs);
    });
    return Promise.race([this.#client.query<R>(sql, parameters), late]).finally(() => {
      ended = true;
      clearTimeout(timer);
    });
  }

  #giveUp(): StoreError {
    this.#silent = new StoreError('STORE_SILENT', `PostgreSQL did not answer a statement within ${this.#limitMs} ms. Its connection was given up; the next statement gets another.`);
    this.#client.release(true);
    return this.#silent;
  }
}
