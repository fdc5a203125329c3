import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openMetricLog } from '../cds-hooks/metric-data/metric-log.ts';
import { migrations } from '../cds-hooks/tables.ts';
import { openStore } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';

/* crd:metrics and dtr:metrics as an operator runs them: processes of their own. */

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'metrics-command-'));
afterAll(() => rmSync(folder, { recursive: true }));

function run(command: string, args: readonly string[], dataDir: string): { readonly code: number | null; readonly out: string; readonly err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, command), ...args], { encoding: 'utf8', env: { ...process.env, DATA_DIR: dataDir, DATABASE_URL: '' } });
  return { code: status, out: stdout, err: stderr };
}

describe.each([['cds-hooks/commands/metrics.ts', 'crd:metrics'], ['server/questionnaire/commands/metrics.ts', 'dtr:metrics']])('%s', (command, name) => {
  it.each(['--help', '-h'])('%s tells how it is used', (flag) => {
    expect(run(command, [flag], join(folder, 'none'))).toEqual({ code: 0, out: expect.stringContaining(`npm run ${name} -- [--from DAY] [--to DAY]`) as string, err: '' });
  });
  it.each([[['--bogus']], [['more']], [['--from', '2026-02-30']], [['--from', '2026-11-02', '--to', '2026-11-01']]])('%j: the usage with what is wrong, no trace', (args) => {
    const { code, out, err } = run(command, args, join(folder, 'none'));
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`npm run ${name} -- [--from DAY]`);
    expect(err).not.toMatch(/^\s+at /m);
  });
  it('refuses a folder that is not there or empty, and leaves nothing in it', () => {
    const [none, empty] = [join(folder, 'none'), join(folder, 'empty')];
    mkdirSync(empty, { recursive: true });
    for (const dataDir of [none, empty]) expect(run(command, [], dataDir)).toEqual({ code: 1, out: '', err: `The data folder ${dataDir} holds nothing of this program. Set DATA_DIR to the folder that the server uses.\n` });
    expect([existsSync(none), readdirSync(empty)]).toEqual([false, []]);
  });
  it('refuses a database without its tables, and one that is open, in plain words', async () => {
    const dataDir = join(folder, name.replace(':', '-'));
    const store = await openStore({ dataDir });
    const locked = run(command, [], dataDir);
    expect(locked).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/data folder/i) as string });
    expect(locked.err).not.toMatch(/^\s+at /m);
    await store.close();
    expect(run(command, [], dataDir)).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^The data folder \S+ holds nothing of this program\./) as string });
  });
});

it('writes what was recorded in the period', async () => {
  const dataDir = join(folder, 'recorded');
  const store = await openStore({ dataDir });
  await migratePart(store, 'cds', migrations);
  const log = openMetricLog(store, Date.now, 1000);
  for (const day of ['2026-11-01', '2026-11-02']) log.record({ requestTime: `${day}T10:00:00.000Z` } as unknown as Parameters<typeof log.record>[0]);
  await log.flush();
  await store.close();
  expect(run('cds-hooks/commands/metrics.ts', ['--from', '2026-11-02', '--to', '2026-11-02'], dataDir)).toEqual({ code: 0, out: '{"requestTime":"2026-11-02T10:00:00.000Z"}\n', err: '' });
});
