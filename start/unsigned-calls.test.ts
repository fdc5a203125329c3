import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort } from '../tools/free-port.ts';
import { readConfig } from './config.ts';
import { startOpenPriorAuth } from './open-prior-auth.ts';

it.each<[string, string, number]>([
  ["one's own machine", '', 422],
  ['a public address', 'https://pa.example', 401],
])('a hook call without a JWT, in the name of the sandbox, on %s', async (_name, publicUrl, status) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'opa-unsigned-'));
  const port = await freePort();
  const running = await startOpenPriorAuth(readConfig({ PORT: String(port), HOST: 'localhost', PUBLIC_URL: publicUrl, DATA_DIR: dataDir, LOG_LEVEL: 'fatal' }), Promise.resolve());
  try {
    const response = await fetch(`http://localhost:${port}/cds-services/order-sign-crd`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ hook: 'order-sign', fhirServer: `${publicUrl || `http://localhost:${port}`}/ehr/fhir` }),
    });
    expect(response.status).toBe(status);
  } finally {
    await running.stop();
    rmSync(dataDir, { recursive: true });
  }
});
