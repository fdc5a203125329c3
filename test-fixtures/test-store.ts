import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { openStore, type Store } from '#store/database.ts';

/**
 * An empty store for one test. With TEST_DATABASE_URL a database of a random name on that PostgreSQL server, dropped at close; else the embedded engine in memory.
 */
export async function openTestStore(): Promise<Store> {
  const server = process.env['TEST_DATABASE_URL'];
  if (!server) return openStore({ dataDir: 'memory' });
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administer(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const store = await openStore({ dataDir: 'memory', databaseUrl: url.toString() });
  return {
    ...store,
    close: async () => {
      await store.close();
      // Other pools of the test may still be saying goodbye; cut off, they would fail the test from outside.
      for (let tries = 0; tries < 50 && (await connectionsTo(server, name)) > 0; tries += 1) await new Promise((resolve) => setTimeout(resolve, 20));
      await administer(server, `drop database if exists ${name} with (force)`);
    },
  };
}

async function connectionsTo(server: string, name: string): Promise<number> {
  const { rows } = await administer(server, `select count(*)::int as n from pg_stat_activity where datname = '${name}'`);
  return (rows[0] as { n: number }).n;
}

async function administer(server: string, statement: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}
