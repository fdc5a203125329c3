import { compileCql } from './compile-cql.ts';
import { lockDown } from './lock-down.ts';
import { runCql, warmUpCql } from './run-cql.ts';
import { runFhirPath, warmUpFhirPath } from './run-fhirpath.ts';
import type { WorkerReply, WorkerTask } from './worker-messages.ts';

/*
 * Runs what payers wrote: CQL (as ELM, interpreted, never turned into JavaScript) and FHIRPath. A process of its own: it may be killed at any
 * moment, and its memory is its own.
 */
if (!process.send) throw new Error('This file runs as a process of the worker pool');
const send = process.send.bind(process);
const reply = (message: WorkerReply) => void send(message);

process.on('message', (task: WorkerTask) => {
  void run(task);
});
lockDown();

async function run(task: WorkerTask): Promise<void> {
  switch (task.kind) {
    case 'warm-up':
      warmUpCql();
      warmUpFhirPath();
      return reply({ kind: 'done' });
    case 'compile':
      return reply({ kind: 'compiled', ...compileCql(task.sources, task.wanted) });
    case 'cql':
      await runCql(task, reply);
      return reply({ kind: 'done' });
    case 'fhirpath':
      runFhirPath(task, reply);
      return reply({ kind: 'done' });
  }
}
