import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { run } from './run.ts';
import { freePort } from './free-port.ts';

export interface TestPostgres {
  /** postgres://… of a server made for this run. */
  readonly url: string;
  stop(): void;
}

function findBinaries(): string | undefined {
  return globSync('/usr/lib/postgresql/*/bin').filter((folder) => existsSync(join(folder, 'initdb'))).sort().at(-1);
}

/** Starts a PostgreSQL of its own for the tests: an installed one, else Debian's package when we are root. Throws with what to do. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const root = process.getuid?.() === 0;
  if (!findBinaries() && root && existsSync('/usr/bin/apt-get')) {
    console.log('Installing PostgreSQL for the tests (apt-get install postgresql) …');
    await run('apt-get', ['update', '-qq'], { quiet: true });
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'postgresql'], { quiet: true, env: { DEBIAN_FRONTEND: 'noninteractive' } });
  }
  const binaries = findBinaries();
  if (!binaries) throw new Error('PostgreSQL 15 or later was not found (Debian: sudo apt-get install postgresql).');

  const folder = mkdtempSync(join(tmpdir(), 'opa-postgres-'));
  // The server refuses to run as root.
  const owner = root ? { uid: Number(execFileSync('id', ['-u', 'postgres'])), gid: Number(execFileSync('id', ['-g', 'postgres'])) } : {};
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, 'data');
  execFileSync(join(binaries, 'initdb'), ['-D', data, '-U', 'tests', '--auth=trust', '--no-sync', '-E', 'UTF8', '--locale=C'], { stdio: 'ignore', ...owner });
  const port = await freePort();
  const settings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=200', `unix_socket_directories=${folder}`].flatMap((setting) => ['-c', setting]);
  const server: ChildProcess = spawn(join(binaries, 'postgres'), ['-D', data, '-p', String(port), '-h', '127.0.0.1', ...settings], { stdio: 'ignore', ...owner });
  const url = `postgres://tests@127.0.0.1:${port}/postgres`;
  const stop = () => {
    server.kill('SIGQUIT');
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return { url, stop };
    } catch (error) {
      if (attempt === 99) {
        stop();
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error('unreachable');
}
