import { parseArgs } from 'node:util';

import { splitCanonical } from '../base/canonical.ts';
import { IG_IDS, isIgId, type IgId } from '../tables/ig-lock.ts';
import { Tables } from '../validation/load-tables.ts';
import { openValidator, type ValidationReport, type Validator } from '../validation/validator.ts';
import { readResources } from './read-resources.ts';
import { reportText } from './report-text.ts';

const USAGE = `Usage: npm run -s validate -- FILE... [--profile URL] [--ig IG] [--verbose] [--json]

Holds FHIR R4 resources against the profiles that they name in meta.profile; without any, against FHIR R4 alone.
FILE is a JSON file, or NDJSON with one resource a line; - reads standard input.
  --profile URL   this profile instead of those in meta.profile
  --ig IG         ${IG_IDS.join(', ')};
                  without it the guide is chosen by the profile
  --verbose       every finding on its own, also where many are alike
  --json          one JSON object per resource, as docs/validator.md describes
Exit code: 0 no error, 1 an error in some resource, 2 misuse or something that cannot be read as JSON.`;

/** Order in which guides are tried for a profile: what HTI-4 names first. */
const BY_PROFILE: readonly IgId[] = ['pas-2.0.1', 'crd-2.0.1', 'dtr-2.0.1', 'us-core-3.1.1', 'pas-2.2.1', 'crd-2.2.0-preview', 'us-core-6.1.0', 'us-core-7.0.0'];

interface Request {
  readonly files: readonly string[];
  readonly profile: string | undefined;
  readonly ig: IgId | undefined;
  readonly json: boolean;
  readonly verbose: boolean;
}

// Whoever reads the output may stop early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});
process.exitCode = main(process.argv.slice(2));

function main(args: readonly string[]): number {
  const request = readRequest([...args]);
  if (request === 'help') {
    console.log(USAGE);
    return 0;
  }
  if (typeof request === 'string') {
    console.error(`${request}\n\n${USAGE}`);
    return 2;
  }
  const validator: Validator = openValidator(request.ig === undefined ? BY_PROFILE : [request.ig]);
  const total = { valid: 0, invalid: 0, unreadable: 0 };
  for (const file of request.files) {
    for (const read of readResources(file)) {
      const label = read.line === undefined ? file : `${file}:${read.line}`;
      const where = { file, ...(read.line === undefined ? {} : { line: read.line }) };
      if (read.kind === 'unreadable') {
        total.unreadable += 1;
        console.error(`${label}: ${read.why}`);
        if (request.json) console.log(JSON.stringify({ ...where, valid: false, unreadable: read.why }));
        continue;
      }
      const report = validator.validate(read.value, request.profile === undefined ? {} : { profile: request.profile });
      const unknown = request.profile === undefined ? undefined : report.issues.find(({ severity, code }) => severity === 'error' && code === 'profile-unknown');
      if (unknown) {
        console.error(`--profile: ${unknown.message}`);
        return 2;
      }
      total[report.valid ? 'valid' : 'invalid'] += 1;
      console.log(request.json ? JSON.stringify({ ...where, ...report }) : [reportText(label, report, request.verbose), ...advice(report, request)].join('\n'));
    }
  }
  const { valid, invalid, unreadable } = total;
  if (!request.json && valid + invalid + unreadable > 1) console.log(`${valid} without error, ${invalid} not valid, ${unreadable} not readable`);
  if (unreadable) return 2;
  return invalid ? 1 : 0;
}

/** The request, `help`, or what is wrong with the arguments. */
function readRequest(args: string[]): Request | string {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        profile: { type: 'string', multiple: true, default: [] },
        ig: { type: 'string', multiple: true, default: [] },
        json: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    return error instanceof Error ? error.message.replace(/\. To specify.*$/s, '.') : String(error);
  }
  const { values, positionals } = parsed;
  if (values.help) return 'help';
  if (positionals.length === 0) return 'Name at least one file.';
  if (values.profile.length > 1 || values.ig.length > 1) return `Name one ${values.ig.length > 1 ? '--ig' : '--profile'}, not several.`;
  const [profile] = values.profile;
  const [ig] = values.ig;
  if (profile?.trim() === '') return '--profile needs the canonical URL of a profile.';
  if (ig !== undefined && !isIgId(ig)) return `Unknown guide "${ig}".`;
  return { files: positionals, profile, ig, json: values.json, verbose: values.verbose };
}

/** What a reader may not know: nothing but R4 was looked at, or another version of the guide has the same profile. */
function advice({ guide, profiles, issues }: ValidationReport, { ig, profile }: Request): string[] {
  if (guide === undefined) return [];
  const alone = profile === undefined && profiles.every((url) => /\/fhir\/StructureDefinition\/[A-Z]\w*$/.test(url)) && !issues.some(({ code }) => code === 'profile-unknown');
  if (alone) return ['  It names no profile; --profile URL holds it against one.'];
  const others = ig === undefined ? BY_PROFILE.filter((other) => other !== guide && profiles.some((url) => new Tables(other).defines(splitCanonical(url).url))) : [];
  return others.length ? [`  Read as ${guide}. Also in ${others.join(', ')}: --ig picks one.`] : [];
}
