import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bundle, OperationOutcome } from '@medplum/fhirtypes';
import { importJWK, type JWK, SignJWT } from 'jose';
import { openStore } from '#store/database.ts';
import { StoreError } from '#store/errors.ts';
import { FhirRefusal } from '../errors.ts';
import { fullAccess } from '../fhir/access.ts';
import { processBundle } from '../fhir/bundle.ts';
import { FhirRepository } from '../fhir/repository.ts';
import { LOADER_CLIENT_ID, LOADER_SCOPE, loaderKeyFile } from '../loader-client.ts';
import { seedOnce } from '../seed/seed.ts';
import { openTables } from '../tables.ts';
import { gatherRecords } from './gather-records.ts';

/** Stores one transaction; a refusal comes back as its reason. */
type Send = (bundle: Bundle) => Promise<{ readonly kind: 'stored' } | { readonly kind: 'refused'; readonly reason: string }>;

const USAGE = `npm run ehr:load -- FILE|FOLDER [--base URL]
Loads FHIR resources and Bundles into the sandbox EHR: into the running one at --base (default http://localhost:$PORT or 3000), else into the data folder (DATA_DIR).`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { base: { type: 'string' }, help: { type: 'boolean' } } });
  if (values.help || positionals.length === 0) {
    print(USAGE);
    return values.help ? 0 : 2;
  }
  const absent = positionals.filter((path) => !existsSync(path));
  if (absent.length > 0) throw new Error(`There is no file or folder ${absent.join(', ')}.`);
  const base = (values.base ?? `http://localhost:${process.env['PORT'] || 3000}`).replace(/\/$/, '');
  const dataDir = process.env['DATA_DIR'] || join(process.cwd(), 'data');
  const gathered = positionals.map(gatherRecords);
  const target = (await isRunning(base)) ? await overHttp(base, dataDir) : await intoFolder(base, dataDir, values.base !== undefined);
  print(`Loading into ${target.name}`);
  let refusals = gathered.reduce((sum, one) => sum + one.refused.length, 0);
  let stored = 0;
  try {
    for (const { from, bundle } of gathered.flatMap((one) => one.transactions)) {
      const outcome = await target.send(bundle);
      if (outcome.kind === 'stored') {
        stored += bundle.entry?.length ?? 0;
        print(`loaded   ${from}: ${countByType(bundle)}`);
      } else {
        refusals += 1;
        print(`refused  ${from}: ${outcome.reason}`);
      }
    }
  } finally {
    await target.close();
  }
  for (const { mended, skipped, refused } of gathered) {
    for (const line of mended) print(`mended   ${line}`);
    for (const line of skipped) print(`skipped  ${line}`);
    for (const line of refused) print(`refused  ${line}`);
  }
  print(`${stored} resources loaded, ${refusals} refused`);
  return refusals > 0 || stored === 0 ? 1 : 0;
}

interface Target {
  readonly name: string;
  readonly send: Send;
  close(): Promise<void>;
}

async function isRunning(base: string): Promise<boolean> {
  try {
    return (await fetch(`${base}/ehr/fhir/.well-known/smart-configuration`, { signal: AbortSignal.timeout(3000) })).ok;
  } catch (error) {
    if (error instanceof TypeError || (error instanceof Error && error.name === 'TimeoutError')) return false;
    throw error;
  }
}

async function overHttp(base: string, dataDir: string): Promise<Target> {
  const token = await fetchToken(base, dataDir);
  const send: Send = async (bundle) => {
    const response = await fetch(`${base}/ehr/fhir`, { method: 'POST', headers: { 'content-type': 'application/fhir+json', authorization: `Bearer ${token}` }, body: JSON.stringify(bundle) });
    if (response.ok) return { kind: 'stored' };
    const outcome = (await response.json()) as OperationOutcome;
    const issue = outcome.issue?.[0];
    return { kind: 'refused', reason: `${response.status} ${issue?.diagnostics ?? ''} ${issue?.expression?.join() ?? ''}`.trim() };
  };
  return { name: `${base}/ehr/fhir`, send, close: async () => undefined };
}

/** SMART Backend Services: the loader's key lies in the data folder of the running system. */
async function fetchToken(base: string, dataDir: string): Promise<string> {
  const jwk = JSON.parse(readFileSync(loaderKeyFile(dataDir), 'utf8')) as JWK;
  const { token_endpoint } = (await (await fetch(`${base}/ehr/fhir/.well-known/smart-configuration`)).json()) as { readonly token_endpoint: string };
  const assertion = await new SignJWT({})
    .setProtectedHeader({ alg: 'ES384', typ: 'JWT', ...(jwk.kid ? { kid: jwk.kid } : {}) })
    .setIssuer(LOADER_CLIENT_ID)
    .setSubject(LOADER_CLIENT_ID)
    .setAudience(token_endpoint)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('4m')
    .sign(await importJWK(jwk, 'ES384'));
  const response = await fetch(`${base}/ehr/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: LOADER_SCOPE, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion }),
  });
  const answer = (await response.json()) as { readonly access_token?: string; readonly error?: string };
  if (!answer.access_token) throw new Error(`The EHR at ${base} refused the loader's key (${answer.error ?? response.status}). Is DATA_DIR the folder of that system?`);
  return answer.access_token;
}

async function intoFolder(base: string, dataDir: string, baseWasGiven: boolean): Promise<Target> {
  if (baseWasGiven) throw new Error(`No sandbox EHR answers at ${base}.`);
  const store = await openStore({ dataDir, databaseUrl: process.env['DATABASE_URL'] || undefined }).catch((error: unknown) => {
    if (!(error instanceof StoreError) || error.code !== 'STORE_LOCKED') throw error;
    throw new Error(`Open Prior Auth runs on the data folder ${dataDir}, but not at ${base}. Say where it answers: --base http://localhost:PORT`, { cause: error });
  });
  const repository = new FhirRepository(store, await openTables(store), `${base}/ehr/fhir`, Date.now);
  await seedOnce(repository);
  const send: Send = async (bundle) => {
    try {
      await processBundle(repository, bundle, fullAccess(LOADER_CLIENT_ID));
      return { kind: 'stored' };
    } catch (error) {
      if (error instanceof FhirRefusal) return { kind: 'refused', reason: `${error.message} ${error.expression ?? ''}`.trim() };
      throw error;
    }
  };
  return { name: process.env['DATABASE_URL'] ? 'the database' : dataDir, send, close: () => store.close() };
}

function countByType(bundle: Bundle): string {
  const counts = new Map<string, number>();
  for (const { resource } of bundle.entry ?? []) if (resource) counts.set(resource.resourceType, (counts.get(resource.resourceType) ?? 0) + 1);
  return [...counts].map(([type, count]) => `${count} ${type}`).join(', ');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
