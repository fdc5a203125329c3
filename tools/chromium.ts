import { existsSync } from 'node:fs';
import { run } from './run.ts';

const USUAL_PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

/** A Chromium to test with: CHROMIUM_PATH, an installed one, else Debian's package when we are root. Throws with what to do. */
export async function findChromium(): Promise<string> {
  const named = process.env['CHROMIUM_PATH'];
  if (named) {
    if (existsSync(named)) return named;
    throw new Error(`CHROMIUM_PATH names ${named}, which does not exist.`);
  }
  const found = USUAL_PLACES.find((place) => existsSync(place));
  if (found) return found;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.log('Installing Chromium for the browser tests (apt-get install chromium) …');
    await run('apt-get', ['update', '-qq'], { quiet: true });
    const { code, output } = await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-liberation'], { quiet: true, env: { DEBIAN_FRONTEND: 'noninteractive' } });
    if (code === 0 && existsSync('/usr/bin/chromium')) return '/usr/bin/chromium';
    throw new Error(`apt-get could not install Chromium:\n${output.slice(-1000)}`);
  }
  throw new Error('The browser tests need Chromium. Install it (Debian: sudo apt-get install chromium) or set CHROMIUM_PATH to one.');
}
