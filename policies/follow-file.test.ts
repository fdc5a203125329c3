import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod/mini';
import { type FollowedFile, followFile } from './follow-file.ts';
import { readJsonFile } from './json-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'followed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let followed: FollowedFile<number>;
afterEach(() => followed.stop());

const readNumber = (file: string) => readJsonFile(file, z.number());
const write = (file: string, text: string) => {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
};
/** Some looks at the file. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 60));

function follow(name: string, read = readNumber) {
  const file = join(folder, name);
  const heard: string[] = [];
  write(file, '1');
  followed = followFile({ file, read, onChange: () => heard.push(`says ${followed.said()}`), onFault: ({ message }) => heard.push(message), everyMs: 5 });
  return { file, heard };
}

describe('a file that is followed', () => {
  it.each<[string, (file: string) => void, RegExp]>([
    ['is away', (file) => rmSync(file), /ENOENT/],
    ['is a link to itself', (file) => { rmSync(file); symlinkSync(file, file); }, /ELOOP/],
    ['is a folder', (file) => { rmSync(file); mkdirSync(file); }, /is a folder/],
    ['lies in a folder that has become a file', (file) => { rmSync(join(file, '..'), { recursive: true }); writeFileSync(join(file, '..'), ''); }, /ENOTDIR/],
  ])('and %s stays in force, is reported once, and is read again when it is back', async (name, spoil, fault) => {
    mkdirSync(join(folder, name));
    const { file, heard } = follow(join(name, 'number.json'));
    spoil(file);
    await expect.poll(() => heard).toEqual([expect.stringMatching(fault)]);
    await aWhile();
    expect([followed.said(), followed.fault(), heard.length]).toEqual([1, expect.stringMatching(fault), 1]);
    rmSync(join(folder, name), { recursive: true });
    mkdirSync(join(folder, name));
    write(file, '2');
    await expect.poll(() => followed.said()).toBe(2);
    expect([followed.fault(), heard.at(-1)]).toEqual([undefined, 'says 2']);
  });

  it('is read again though it has not changed, once what stood in the way of reading it is over', async () => {
    let inTheWay = false;
    const { file, heard } = follow('unchanged.json', (name) => {
      if (inTheWay) throw new RangeError('a fault that nobody foresaw');
      return readNumber(name);
    });
    inTheWay = true;
    write(file, '2');
    await expect.poll(() => followed.fault()).toBe('a fault that nobody foresaw');
    await aWhile();
    inTheWay = false;
    await expect.poll(() => heard).toEqual(['a fault that nobody foresaw', 'says 2']);
    expect(followed.fault()).toBe(undefined);
  });

  it('does not end the process when its folder may not be read for a moment', () => {
    const script = `
      import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
      import { followFile } from './policies/follow-file.ts';
      import { readEhrsFile } from './server/smart/ehrs-file.ts';
      const folder = mkdtempSync(${JSON.stringify(join(folder, 'other-'))});
      const file = folder + '/ehrs.json';
      writeFileSync(file, '{"ehrs":[]}');
      chmodSync(${JSON.stringify(folder)}, 0o755);
      chmodSync(folder, 0o755);
      const followed = followFile({ file, read: readEhrsFile, onChange: () => { console.log('in force'); process.exit(0); }, onFault: () => { console.log('faulty', followed.said().length); chmod(0o755); }, everyMs: 5 });
      // The owner of a folder is kept out of it as well; root is not.
      const chmod = (mode) => { if (process.getuid() === 0) process.seteuid(0); chmodSync(folder, mode); if (process.getuid() === 0) process.seteuid(65534); };
      chmod(0o000);
      setTimeout(() => process.exit(3), 5_000);`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], { cwd: join(import.meta.dirname, '..'), encoding: 'utf8' });
    expect({ stdout, stderr, status }).toEqual({ stdout: 'faulty 0\nin force\n', stderr: '', status: 0 });
  });
});
