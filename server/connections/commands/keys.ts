import { parseArgs } from 'node:util';
import { StoreError } from '#store/errors.ts';
import type { RingKey } from '#store/signing-keys.ts';
import { openInstallation } from '../open-installation.ts';
import { ROTATION_TIMES } from '../rotate-keys.ts';
import { RunningProcess, RunningProcessError } from '../running-process.ts';

const USAGE = `npm run keys -- list
npm run keys -- rotate [--lead 1h] [--overlap 24h]    new keys are published now and used after the lead; the old ones stay published for the overlap
npm run keys -- rotate --at-once                      for a key that leaked: the old ones are withdrawn now. Tell each payer to read the key set again

Times: 30m, 12h, 7d. While a process has the embedded database open, it is asked to rotate with the usual times (ADMIN_TOKEN).`;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { lead: { type: 'string' }, overlap: { type: 'string' }, 'at-once': { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } });
const UNITS: { readonly [unit: string]: number | undefined } = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds; undefined for what is no time. */
function readTime(text: string | undefined, usual: number): number | undefined {
  if (text === undefined) return usual;
  const [, amount, unit] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * (UNITS[unit ?? ''] ?? 0);
}

function told({ key, useFrom, retireAt }: RingKey): string {
  const until = retireAt === undefined ? '' : retireAt <= Date.now() ? `, withdrawn ${new Date(retireAt).toISOString()}` : `, published until ${new Date(retireAt).toISOString()}`;
  return `${key.alg}  ${key.publicJwk.kid}  used from ${useFrom === 0 ? 'the start' : new Date(useFrom).toISOString()}${until}`;
}

const leadMs = values['at-once'] ? 0 : readTime(values.lead, ROTATION_TIMES.leadMs);
const overlapMs = values['at-once'] ? 0 : readTime(values.overlap, ROTATION_TIMES.overlapMs);
const [command] = positionals;
if (values.help || !['list', 'rotate'].includes(command ?? '') || leadMs === undefined || overlapMs === undefined) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
try {
  const installation = await openInstallation(process.env);
  try {
    if (command === 'rotate') await installation.rotate({ leadMs, overlapMs });
    console.log(installation.keys.list().map(told).join('\n'));
  } finally {
    await installation.close();
  }
} catch (error) {
  const isOpen = error instanceof StoreError && error.code === 'STORE_LOCKED';
  if (isOpen && command === 'rotate' && values.lead === undefined && values.overlap === undefined && !values['at-once']) {
    await new RunningProcess(process.env).rotate().then(
      () => console.log('The running process has made new keys: published now, used in an hour.'),
      (fault: unknown) => {
        if (!(fault instanceof RunningProcessError)) throw fault;
        console.error(fault.message);
        process.exitCode = 2;
      },
    );
  } else if (error instanceof StoreError) {
    console.error(`${error.message}${isOpen ? '\nThe page /admin/payers of the running process lists the keys and rotates them.' : ''}`);
    process.exitCode = 2;
  } else throw error;
}
