import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { ClientsFileError } from '#cds-hooks/client-trust/clients-file.ts';
import { PolicyFileError } from '#policies/json-file.ts';
import { RegistryError } from '#server/learning/registry-error.ts';
import { StoreError } from '#store/errors.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { buildScreens } from './screens.ts';

/** Says a start that failed in one or two lines, with what to do; anything unforeseen keeps its stack for the bug report. */
function explain(error: unknown, config: Config | undefined): string {
  if (error instanceof ConfigError) return `A setting is wrong:\n${error.message}\nSee docs/configuration.md.`;
  if (error instanceof ClientsFileError) return `The file of CDS_CLIENTS_FILE is wrong:\n${error.message}\nSee docs/cds-hooks.md.`;
  if (error instanceof PolicyFileError) return `A policy, payer or diagnosis map file (PAYERS_FILE, DIAGNOSIS_MAP_FILE) is wrong:\n${error.message}\nSee docs/policies.md, docs/payer-connections.md and docs/pas.md.`;
  if (error instanceof RegistryError) return `The file of MODEL_ROLES_FILE is wrong:\n${error.message}\nSee docs/model-registry.md.`;
  if (error instanceof StoreError) return error.message;
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    return `Port ${config?.port} is in use. Stop the program that has it, or start on another port: PORT=3001 npm start`;
  }
  return `Open Prior Auth could not start.\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

// Compiled modules are kept for the next start, which then loads them in half the time.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'compiled'));

let config: Config | undefined;
try {
  config = readConfig(process.env);
  // The screens are built in a process of their own while this one loads its parts.
  const screens = buildScreens();
  screens.catch(() => undefined); // startOpenPriorAuth awaits it
  const { startOpenPriorAuth } = await import('./open-prior-auth.ts');
  const running = await startOpenPriorAuth(config, screens);
  console.log(`Open Prior Auth is up after ${(performance.now() / 1000).toFixed(1)} s.

  Sandbox EHR   ${running.baseUrl}/
  Worklist      ${running.baseUrl}/work/
  CDS Hooks     ${running.baseUrl}/cds-services
  Payer         ${running.baseUrl}/payer/fhir/metadata

Click first: open the sandbox EHR, sign in as Dr. Priya Nair, choose Margaret Okafor,
order home oxygen (E1390), sign it, and open the authorization panel from the card.
Synthetic patients only; data in ${config.databaseUrl ? 'PostgreSQL (DATABASE_URL)' : config.dataDir}. Ctrl-C stops.`);
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      running.stop().then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(explain(error, config));
          process.exit(1);
        },
      );
    });
  }
} catch (error) {
  console.error(explain(error, config));
  process.exit(1);
}
