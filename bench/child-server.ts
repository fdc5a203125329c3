import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface ChildServer {
  readonly base: string;
  /** Resolves when the program has collected its garbage; of those that know how. */
  collectGarbage(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server program of this folder in a process of its own, with more settings than ours if given; it prints `{"base": …}` when it answers. */
export function startChild(program: string, env: Readonly<Record<string, string>> = {}): Promise<ChildServer> {
  const child = spawn(process.execPath, [join(import.meta.dirname, program)], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], env: { ...process.env, ...env } });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return new Promise((resolve, reject) => {
    let said = '';
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${program} ended with code ${code} before it answered`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const line = said.split('\n').find((each) => each.startsWith('{'));
      if (!line) return;
      const { base } = JSON.parse(line) as { base: string };
      resolve({
        base,
        collectGarbage: () => new Promise((collected) => {
          child.once('message', () => collected());
          child.send('collect-garbage');
        }),
        stop: async () => {
          child.kill('SIGTERM');
          await ended;
        },
      });
    });
  });
}
