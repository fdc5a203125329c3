import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { fromPglite, PgBoss } from 'pg-boss';
import { templateFile } from '../embedded-engine.ts';
import { JOBS_SCHEMA } from '../jobs.ts';

// npm run store:template : writes the database that a first start unpacks: empty but for the tables of the job machinery, by the installed versions of both.
const engine = await PGlite.create();
const boss = new PgBoss({ db: fromPglite(engine), schema: JOBS_SCHEMA, supervise: false, schedule: false });
await boss.start();
await boss.stop({ graceful: false });
// A cluster brings three databases of some three hundred files each, and only one is ever used: without the others a first start writes a third of the files.
const { rows } = await engine.query<{ datname: string }>('select datname from pg_database where datname <> current_database()');
await engine.exec('update pg_database set datistemplate = false where datname <> current_database()');
for (const { datname } of rows) await engine.exec(`drop database "${datname}"`);
await engine.exec('checkpoint');
const dump = await engine.dumpDataDir('gzip');
await engine.close();
const file = templateFile();
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, Buffer.from(await dump.arrayBuffer()));
console.log(`Wrote ${file} (${Math.round(dump.size / 1024)} kB).`);
process.exit(0);
