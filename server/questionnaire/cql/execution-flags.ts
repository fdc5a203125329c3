import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Program files may be read, for the engines load parts of themselves late; no other right of Node's permission model is given, and V8 makes no code from text. */
export function executionFlags(memoryLimitMb: number): string[] {
  const root = realpathSync(join(import.meta.dirname, '..', '..', '..'));
  const packages = realpathSync(join(createRequire(import.meta.url).resolve('cql-execution/package.json'), '..', '..'));
  const readable = ['server/questionnaire/cql', 'prior-auth', 'fhir-profiles', 'package.json'].map((path) => join(root, path));
  return [
    '--permission', ...[...readable, packages, join(root, 'node_modules')].map((path) => `--allow-fs-read=${path}`),
    '--disallow-code-generation-from-strings', `--max-old-space-size=${memoryLimitMb}`, '--max-semi-space-size=16', '--stack-size=4000', '--no-warnings',
  ];
}
