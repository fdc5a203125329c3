import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PRIOR_AUTH_ERROR_CODES } from '#prior-auth/errors.ts';
import { STORE_ERROR_CODES } from '#store/errors.ts';

/* docs/errors.md lists every code of every part, and no other. */

const root = join(import.meta.dirname, '..');
const PARTS = '{admin,cds-hooks,client,fhir-profiles,models,payer,policies,prior-auth,sandbox-ehr,server,start,store}';
/** A code is written in capitals: any quoted word with an underscore, and a quoted single word where a refusal takes its code. */
const QUOTED = /'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'|(?:\b\d{3}, |\bcode: |\? )'([A-Z]{4,})'/g;
/** Words in capitals that are no codes: settings, files, and names of others. */
const NO_CODES: ReadonlySet<string> = new Set(['DATABASE_URL', 'DATA_DIR', 'PUBLIC_URL', 'PAYERS_FILE', 'CLINIC_FILE', 'ADMIN_TOKEN', 'MODEL_ROLES_FILE', 'MODEL_APPROVE_OWN', 'MODEL_TOKEN', 'APPEALS_FILE', 'CERT_HAS_EXPIRED', 'PG_VERSION', 'BRANCH_LEQ', 'LEAF', 'NONE', 'POST', 'ERR_JOSE_GENERIC', 'EAI_AGAIN', 'MSG_BAD_SYNTAX']);

// The chaos run names its settings in capitals and refuses nobody.
const files = globSync(`${PARTS}/**/*.{ts,tsx}`, { cwd: root, exclude: ['**/*.test.ts', '**/*.test.tsx', 'start/chaos/**'] });
const written = files.flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(QUOTED)].map(([, long, short]) => long ?? short ?? '')).filter((word) => !NO_CODES.has(word));
const codes = [...new Set([...PRIOR_AUTH_ERROR_CODES, ...STORE_ERROR_CODES, ...written])].sort();
const listed = [...readFileSync(join(root, 'docs', 'errors.md'), 'utf8').matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map(([, code]) => code ?? '').sort();

it('finds the codes of every part', () => {
  expect(codes).toEqual(expect.arrayContaining(['CASE_CONFLICT', 'STORE_LOCKED', 'POLICY_FILE_INVALID', 'NOT_SIGNED_IN', 'FAULT', 'INTERNAL', 'REVIEWER_UNKNOWN', 'UNEXPECTED', 'NOT_REACHED', 'MEMBER_ID_MISSING']));
});

it('lists every code', () => {
  expect(codes.filter((code) => !listed.includes(code))).toEqual([]);
});

it('lists no code that does not exist', () => {
  expect(listed.filter((code) => !codes.includes(code))).toEqual([]);
});

it('lists each code once', () => {
  expect(listed.filter((code, i) => listed.indexOf(code) !== i)).toEqual([]);
});
