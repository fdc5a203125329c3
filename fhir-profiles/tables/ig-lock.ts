import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const IG_IDS = [
  'pas-2.0.1',
  'pas-2.2.1',
  'crd-2.0.1',
  'crd-2.2.0-preview',
  'dtr-2.0.1',
  'us-core-3.1.1',
  'us-core-6.1.0',
  'us-core-7.0.0',
] as const;
export type IgId = (typeof IG_IDS)[number];

interface LockedIg {
  readonly package: string;
  readonly version: string;
  readonly sha256: string;
  /** Guides whose profiles it refers to, nearest first. R4 core is behind every one. */
  readonly dependsOn: readonly IgId[];
}

export type IgLock = Readonly<Record<IgId, LockedIg>>;

const LOCK_FILE = fileURLToPath(new URL('../ig.lock.json', import.meta.url));

export function readIgLock(): IgLock {
  return JSON.parse(readFileSync(LOCK_FILE, 'utf8')) as IgLock;
}

export function isIgId(text: string): text is IgId {
  return (IG_IDS as readonly string[]).includes(text);
}
