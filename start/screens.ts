import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import express, { type Router } from 'express';

const root = join(import.meta.dirname, '..');
const built = join(root, 'dist', 'client');
const stampFile = join(root, 'dist', 'client.sha256');

/** Fingerprint of everything the screens are built from. */
function sourceStamp(): string {
  const hash = createHash('sha256');
  const files = ['client/**/*.{ts,tsx,css,html}', 'prior-auth/**/*.ts', 'fhir-profiles/{base,crd,dtr,pas}/**/*.ts'].flatMap((pattern) => globSync(pattern, { cwd: root }));
  for (const file of ['package-lock.json', 'vite.config.ts', ...files.filter((name) => !name.includes('.test.')).sort()]) {
    hash.update(file).update('\0').update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}

/** Builds the screens, always as they are shipped, if their sources changed since the last build. Rejects with the builder's own words when it fails. */
export async function buildScreens(): Promise<'built' | 'current'> {
  const stamp = sourceStamp();
  if (existsSync(stampFile) && existsSync(join(built, 'panel.html')) && readFileSync(stampFile, 'utf8') === stamp) return 'current';
  await new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_ENV: 'production' } });
    let words = '';
    child.stdout.on('data', (chunk: Buffer) => (words += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()));
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`The screens could not be built (vite build exit ${code}):\n${words}`))));
  });
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stampFile, stamp);
  return 'built';
}

const PAGES = { '/': 'ehr.html', '/panel/': 'panel.html', '/work/': 'work.html', '/learning/': 'learning.html' } as const;

/** Serves the built screens. */
export function screensRouter(): Router {
  const router = express.Router({ strict: true });
  for (const [path, file] of Object.entries(PAGES)) {
    router.get(path, (_request, response) => {
      response.set('cache-control', 'no-cache').sendFile(join(built, file));
    });
    if (path !== '/') router.get(path.slice(0, -1), (request, response) => response.redirect(308, path + request.url.slice(path.length - 1)));
  }
  router.use('/assets', express.static(join(built, 'assets'), { immutable: true, maxAge: '1y', index: false, fallthrough: true }));
  return router;
}
