import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { splitCanonical } from '../base/canonical.ts';
import { IG_IDS, isIgId, type IgId } from '../tables/ig-lock.ts';
import { openValidator, type ValidationIssue, type ValidationReport, type Validator } from '../validation/validator.ts';

const USAGE = `Usage: npm run validate -- FILE... [--profile URL] [--ig IG] [--json]

Holds FHIR R4 resources against a profile. FILE is JSON; - reads standard input.
  --profile URL   instead of the profiles in meta.profile
  --ig IG         ${IG_IDS.join(', ')}; without it the guide is chosen by the profile
  --json          one JSON object per file
Exit code: 0 no error, 1 an error in some file, 2 misuse or a file that cannot be read as JSON.`;

/** Order in which guides are tried for a profile: what HTI-4 names first. */
const BY_PROFILE: readonly IgId[] = ['pas-2.0.1', 'crd-2.0.1', 'dtr-2.0.1', 'us-core-3.1.1', 'pas-2.2.1', 'crd-2.2.0-preview', 'us-core-6.1.0', 'us-core-7.0.0'];

interface Request {
  readonly files: readonly string[];
  readonly profile: string | undefined;
  readonly ig: IgId | undefined;
  readonly json: boolean;
}

process.exitCode = main(process.argv.slice(2));

function main(args: readonly string[]): number {
  const request = readRequest([...args]);
  if (typeof request === 'string') {
    console.error(`${request}\n\n${USAGE}`);
    return 2;
  }
  const { ig, profile } = request;
  const validator: Validator = openValidator(ig === undefined ? BY_PROFILE : [ig]);
  let exitCode = 0;
  for (const file of request.files) {
    const read = readJson(file);
    if (read.kind === 'unreadable') {
      console.error(`${file}: ${read.why}`);
      exitCode = 2;
      continue;
    }
    const report = validator.validate(read.value, profile === undefined ? {} : { profile });
    if (!report.valid && exitCode === 0) exitCode = 1;
    console.log(request.json ? JSON.stringify({ file, ...report }) : reportText(file, report));
  }
  return exitCode;
}

/** The request, or what is wrong with the arguments. */
function readRequest(args: string[]): Request | string {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: { profile: { type: 'string' }, ig: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { values, positionals } = parsed;
  if (positionals.length === 0) return 'Name at least one file.';
  if (values.ig !== undefined && !isIgId(values.ig)) return `Unknown guide ${values.ig}.`;
  return { files: positionals, profile: values.profile, ig: values.ig, json: values.json };
}

function readJson(file: string): { readonly kind: 'read'; readonly value: unknown } | { readonly kind: 'unreadable'; readonly why: string } {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    return { kind: 'unreadable', why: `cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
  try {
    return { kind: 'read', value: JSON.parse(text.replace(/^\uFEFF/, '')) };
  } catch (error) {
    return { kind: 'unreadable', why: `is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function reportText(file: string, { valid, profiles, issues }: ValidationReport): string {
  const notVerified = issues.filter((issue) => issue.notVerified);
  const found = issues.filter((issue) => !issue.notVerified);
  const count = (severity: ValidationIssue['severity']): number => found.filter((issue) => issue.severity === severity).length;
  const against = profiles.map((profile) => splitCanonical(profile).url).join(', ');
  return [
    `${file}: ${valid ? 'no error' : 'NOT VALID'} (${count('error')} errors, ${count('warning')} warnings, ${count('information')} notes, ${notVerified.length} not verified)`,
    ...(against === '' ? [] : [`  against ${against}`]),
    ...found.map(({ severity, code, path, message }) => `  ${severity.padEnd(11)} ${path || '(root)'}\n              ${message} [${code}]`),
    ...(notVerified.length ? ['  not verified:', ...notVerified.map(({ path, message }) => `    ${path}\n              ${message}`)] : []),
  ].join('\n');
}
