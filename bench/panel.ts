import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildScreens } from '#start/screens.ts';

const LIMIT_KB = 180;

/** What the panel's page loads before anything is lazy: its scripts and what they import at once, gzipped. Returns what missed its aim. */
export async function benchPanel(): Promise<string[]> {
  await buildScreens();
  const folder = join(import.meta.dirname, '..', 'dist', 'client');
  const page = readFileSync(join(folder, 'panel.html'), 'utf8');
  const scripts = new Set([...page.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map((match) => match[1] as string));
  for (const script of scripts) {
    const text = readFileSync(join(folder, script), 'utf8');
    for (const match of text.matchAll(/(?:^|[;}\n])import(?:[^"'()]*?from)?["']\.\/([^"']+\.js)["']/g)) scripts.add(`assets/${match[1]}`);
  }
  const kilobytes = [...scripts].reduce((sum, script) => sum + gzipSync(readFileSync(join(folder, script))).length, 0) / 1000;
  console.log(`\nPanel: first JavaScript ${kilobytes.toFixed(0)} kB gzipped in ${scripts.size} files; the aim is at most ${LIMIT_KB} kB`);
  return kilobytes > LIMIT_KB ? [`the panel's first JavaScript is ${kilobytes.toFixed(0)} kB gzipped; the aim is ${LIMIT_KB} kB`] : [];
}
