import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { StoreError } from './errors.ts';

export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * One process per data folder: the embedded database has no lock of its own and two openers lose committed rows.
 * On Linux an abstract socket, which the kernel frees even on kill -9; elsewhere a file with the owner's process id.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  return process.platform === 'linux' ? lockBySocket(directory) : lockByFile(directory);
}

function refusal(directory: string): StoreError {
  return new StoreError(
    'STORE_LOCKED',
    `The data folder ${directory} is in use by another Open Prior Auth process. Stop that process, or set DATA_DIR to another folder.`,
  );
}

function lockBySocket(directory: string): Promise<DirectoryLock> {
  const name = createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(cause.code === 'EADDRINUSE' ? refusal(directory) : cause));
    server.listen({ path: `\0open-prior-auth-${name}` }, () => {
      server.unref();
      resolve({ release: () => new Promise((done) => server.close(() => done())) });
    });
  });
}

function lockByFile(directory: string): DirectoryLock {
  const file = join(directory, 'owner.pid');
  const owner = readOwner(file);
  if (owner !== undefined && isAlive(owner)) throw refusal(directory);
  writeFileSync(file, String(process.pid), { mode: 0o600 });
  return { release: async () => rmSync(file, { force: true }) };
}

function readOwner(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return processId !== process.pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
