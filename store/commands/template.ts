import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { templateFile } from '../embedded-engine.ts';

// npm run store:template : writes the empty database of the installed PGlite version, which a first start unpacks.
const engine = await PGlite.create();
const dump = await engine.dumpDataDir('gzip');
await engine.close();
const file = templateFile();
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, Buffer.from(await dump.arrayBuffer()));
console.log(`Wrote ${file} (${Math.round(dump.size / 1024)} kB).`);
