import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { readConfig } from '#start/config.ts';
import { startOpenPriorAuth } from '#start/open-prior-auth.ts';

// The whole system as it ships, on a free port with its own data, for measuring from outside.
const dataDir = mkdtempSync(join(tmpdir(), 'opa-bench-'));
const running = await startOpenPriorAuth(readConfig({ LOG_LEVEL: 'error', ...process.env, PORT: '0', PUBLIC_URL: '', DATA_DIR: dataDir }));
process.stdout.write(`${JSON.stringify({ base: running.baseUrl })}\n`);
process.once('SIGTERM', () => {
  void running.stop().then(() => {
    rmSync(dataDir, { recursive: true, force: true });
    process.exit(0);
  });
});
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
process.on('message', () => {
  collectGarbage();
  process.send?.('collected');
});
// The bench was killed.
process.once('disconnect', () => process.exit(1));
