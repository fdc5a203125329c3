import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

export interface Child {
  readonly base: string;
  /** SIGKILL: nothing is tidied up. */
  kill(): Promise<void>;
  /** SIGTERM. */
  stop(): Promise<void>;
}

const START_LIMIT_MS = 60_000;

/** Runs a program of this folder in a process of its own; it prints `{"base": …}` when it answers. */
export async function startChild(program: string, env: Readonly<Record<string, string>>): Promise<Child> {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, program)], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    child.kill(signal);
    await ended;
  };
  const base = await new Promise<string>((resolve, reject) => {
    let said = '';
    const limit = setTimeout(() => reject(new Error(`${program} did not answer within ${START_LIMIT_MS / 1000} s`)), START_LIMIT_MS);
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`${program} ended (${code ?? signal}) before it answered`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const line = said.split('\n').find((each) => each.startsWith('{'));
      if (!line) return;
      clearTimeout(limit);
      resolve((JSON.parse(line) as { base: string }).base);
    });
  });
  return { base, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') };
}
