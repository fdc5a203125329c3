import { parseArgs, styleText } from 'node:util';
import { PolicyFileError } from '#policies/json-file.ts';
import { StoreError } from '#store/errors.ts';
import type { ConnectionReport } from '../check-report.ts';
import type { KnownPayer } from '../registered-payers.ts';
import { openInstallation } from '../open-installation.ts';
import { RunningProcess, RunningProcessError } from '../running-process.ts';

const USAGE = `npm run payer -- list [--json]          the payers, where their requests go, and how
npm run payer -- show ID [--json]       all that is configured for one
npm run payer -- test ID [--json]       tests the connection step by step; sends no patient data. Exit code 1: something failed

Reads the settings of the server (DATA_DIR or DATABASE_URL, PUBLIC_URL, PAYERS_FILE, CLINIC_FILE). While a process has the embedded
database open, it is asked instead, at PUBLIC_URL or http://localhost:PORT, with ADMIN_TOKEN.`;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } });
const [command, id] = positionals;

interface Source {
  list(): Promise<readonly KnownPayer[]>;
  test(payerId: string): Promise<ConnectionReport | undefined>;
  close(): Promise<void>;
}

async function openSource(): Promise<Source> {
  try {
    return await openInstallation(process.env);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_LOCKED') return new RunningProcess(process.env);
    throw error;
  }
}

async function run(source: Source): Promise<number> {
  const payers = await source.list();
  const known = payers.find(({ payer }) => payer.id === id) ?? payers.find(({ payer }) => payer.plans?.some((plan) => `${payer.id}~${plan.id}` === id));
  if (command === 'list') {
    console.log(values.json ? JSON.stringify(payers, null, 2) : payers.map(listed).join('\n\n'));
    return 0;
  }
  if (id === undefined || !known) {
    console.error(`${id === undefined ? 'Which payer?' : `There is no payer "${id}".`} There are: ${payers.map(({ payer }) => payer.id).join(', ')}.`);
    return 2;
  }
  if (command === 'show') {
    console.log(values.json ? JSON.stringify(known, null, 2) : `${listed(known)}\n\n${JSON.stringify(known.payer, null, 2)}`);
    return 0;
  }
  const report = await source.test(id);
  if (!report) {
    console.error(`The payer "${id}" is disabled.`);
    return 2;
  }
  console.log(values.json ? JSON.stringify(report, null, 2) : told(report));
  return report.result === 'ok' ? 0 : 1;
}

function listed({ payer, source, disabled }: KnownPayer): string {
  const authentication = payer.authentication?.kind ?? 'backend-services';
  return [
    `${payer.id}: ${payer.name}${disabled ? ' (disabled)' : payer.mode === 'manual' ? ' (manual)' : ''}`,
    `  ${payer.fhirBase}, PAS ${payer.pasVersion}, ${authentication}${payer.tls?.certificateFile ? ', client certificate' : ''}, notifications: ${payer.subscriptions}, from ${source === 'file' ? 'the payers file' : 'the admin page'}`,
    ...(payer.plans ?? []).map((plan) => `  plan ${payer.id}~${plan.id}: ${plan.fhirBase}, PAS ${plan.pasVersion}`),
  ].join('\n');
}

const SIGNS = { ok: styleText('green', '✓'), warning: styleText('yellow', '!'), failed: styleText('red', '✗'), skipped: '–', unknown: '?' } as const;

function told(report: ConnectionReport): string {
  const lines = report.steps.flatMap(({ name, state, what, todo }) => [`${SIGNS[state]} ${name}: ${what}`, ...(todo ? [`    ${todo}`] : [])]);
  return [`${report.payerName} (${report.payerId}), PAS ${report.pasVersion}, ${report.mode}`, ...lines, report.result === 'ok' ? 'The connection works.' : 'The connection does not work as it is.'].join('\n');
}

if (values.help || !['list', 'show', 'test'].includes(command ?? '')) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
try {
  const source = await openSource();
  try {
    process.exitCode = await run(source);
  } finally {
    await source.close();
  }
} catch (error) {
  if (!(error instanceof StoreError || error instanceof PolicyFileError || error instanceof RunningProcessError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
