import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findChromium } from './chromium.ts';
import { ROOT, run } from './run.ts';

// npm run screenshots : plays the panel in a real browser and puts the pictures of the documentation in docs/screenshots.
const PICTURES = {
  empty: 'panel-empty-sidebar', 'pre-filled': 'panel-filled-sidebar', source: 'panel-source-sidebar', error: 'panel-error-sidebar', adaptive: 'panel-adaptive-sidebar',
  '320px': 'panel-filled-320px', dark: 'panel-filled-dark', spanish: 'panel-spanish-sidebar', merge: 'panel-merge-sidebar',
} as const;

const { code } = await run('vitest', ['run', '--config', 'vitest.browser.config.ts', 'client/panel.browser', '-t', 'every state'], { env: { CHROMIUM_PATH: await findChromium() } });
const folder = join(ROOT, 'docs', 'screenshots');
mkdirSync(folder, { recursive: true });
const missing: string[] = [];
for (const [name, picture] of Object.entries(PICTURES)) {
  const file = join(ROOT, 'dist', 'pictures', `${picture}.png`);
  if (existsSync(file)) copyFileSync(file, join(folder, `${name}.png`));
  else missing.push(name);
}
if (missing.length > 0) console.error(`No picture of: ${missing.join(', ')}`);
process.exit(code !== 0 || missing.length > 0 ? 1 : 0);
