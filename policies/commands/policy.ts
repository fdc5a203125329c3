import { join, relative } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { runPolicyCommand } from './policy-command.ts';

// npm run policy -- check | test | show | diff | import : the policy library on the command line.

// Paths are shown as seen from where the command runs.
const policies = relative(process.cwd(), join(import.meta.dirname, '..'));

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(question);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

process.exitCode = await runPolicyCommand(process.argv.slice(2), {
  policies,
  questionnaires: join(policies, '../payer/questionnaires/forms'),
  hcpcs: join(policies, '../../shared/data/hcpcs'),
  today: new Intl.DateTimeFormat('en-CA').format(Date.now()),
  print: (line) => console.log(line),
  complain: (line) => console.error(line),
  confirm: process.stdin.isTTY ? confirm : undefined,
});
