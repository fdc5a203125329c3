import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { buildTables, PackageMismatch } from '../tables/build-tables.ts';
import { IG_IDS, readIgLock } from '../tables/ig-lock.ts';

const GENERATED = fileURLToPath(new URL('../generated/', import.meta.url));
const USAGE = `Usage: npm run profiles:generate -- FOLDER_OF_TGZ [--check]

Writes the constraint tables of fhir-profiles/generated/ from the packages ${IG_IDS.join(', ')} (as FOLDER/<name>.tgz)
and from FHIR R4 core. --check writes nothing and exits 1 with the list of files that would change.`;

process.exitCode = main(process.argv.slice(2));

function main(args: string[]): number {
  const { folder, check } = readArguments(args);
  if (folder === undefined) {
    console.error(USAGE);
    return 2;
  }
  const missing = IG_IDS.filter((id) => !existsSync(join(folder, `${id}.tgz`)));
  if (missing.length) {
    console.error(`${folder} lacks ${missing.map((id) => `${id}.tgz`).join(', ')}`);
    return 2;
  }
  let files: ReadonlyMap<string, string>;
  try {
    files = buildTables(folder, readIgLock());
  } catch (error) {
    if (!(error instanceof PackageMismatch)) throw error;
    console.error(error.message);
    return 2;
  }
  const changed = [...files].filter(([name, text]) => !existsSync(join(GENERATED, name)) || readFileSync(join(GENERATED, name), 'utf8') !== text);
  if (check) {
    for (const [name] of changed) console.log(`differs: fhir-profiles/generated/${name}`);
    console.log(changed.length ? `${changed.length} of ${files.size} files are not current` : `${files.size} files are current`);
    return changed.length ? 1 : 0;
  }
  mkdirSync(GENERATED, { recursive: true });
  for (const [name, text] of changed) writeFileSync(join(GENERATED, name), text);
  console.log(`${changed.length} of ${files.size} files written`);
  return 0;
}

function readArguments(args: string[]): { folder?: string | undefined; check?: boolean } {
  try {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { check: { type: 'boolean', default: false } } });
    return positionals.length === 1 ? { folder: positionals[0], check: values.check } : {};
  } catch {
    return {};
  }
}
