import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { canonicalCoding } from '#prior-auth/order/canonical-coding.ts';
import type { Policy } from '#prior-auth/coverage-requirement/policy.ts';
import { isUsState } from '#prior-auth/coverage-requirement/us-states.ts';
import { casesFileOf, type CheckAgainst, checkDefault, checkLibrary, refusals } from '../check-library.ts';
import { isDay, mergeServices, parseCodeList } from '../code-list.ts';
import { explainService } from '../explain-service.ts';
import { PolicyFileError, readText } from '../json-file.ts';
import { loadPayers } from '../load-payers.ts';
import { listFiles, loadPolicies, readFormFile, readPolicyFile } from '../load-policies.ts';
import { missingOutcomes, playCases, readPolicyCases } from '../policy-cases.ts';
import { compareRevisions, describeChanges, describeServiceChanges, phaseInWords, serviceChanges } from '../revision-changes.ts';
import { writeServices } from '../write-services.ts';

export const USAGE = `Usage: npm run policy -- COMMAND
  check [FILE…] [--strict]           are the policies (all, or these files) sound? --strict: warnings fail, too
  test [ID…]                         plays the cases of policies/tests (of FOLDER/../tests)
  show ID|CODE [--date YYYY-MM-DD] [--payer ID] [--state XX]
                                     a policy, or what holds for a service code, and why
  diff ID REVISION REVISION          what is different in the second revision
  import FILE.csv --policy ID --revision R [--add] [--yes]
                                     the revision names exactly the codes of the list (--add: these, too)
Everywhere: --json, --library FOLDER. check: --hcpcs FILE (CSV whose first column is the code).
Exit code: 0 all well, 1 something is wrong or nothing was written, 2 the command was not understood.`;

export interface CommandSurroundings {
  /** Folder with library/, tests/ and payers.json. */
  readonly policies: string;
  /** The payer's forms, as JSON files. */
  readonly questionnaires: string;
  /** Folder with hcpcs-level2-YYYY-MM.csv; may be missing. */
  readonly hcpcs: string;
  /** YYYY-MM-DD. */
  readonly today: string;
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
  /** Asks the person at the terminal; undefined where there is none. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
}

/** The command is not one, or not written as its usage says. */
class UsageError extends Error {}

/** The command is understood; what it names is not there. */
class UnknownNameError extends Error {}

interface Asked {
  readonly args: readonly string[];
  readonly options: ReturnType<typeof readArgs>['values'];
  readonly library: string;
  readonly surroundings: CommandSurroundings;
}

function readArgs(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  return parseArgs({ args: [...args], allowPositionals: true, options: { json: flag, strict: flag, yes: flag, add: flag, help: { ...flag, short: 'h' }, library: text, hcpcs: text, date: text, payer: text, state: text, policy: text, revision: text } });
}

/** Runs one `npm run policy` command; the number is the exit code. */
export async function runPolicyCommand(given: readonly string[], surroundings: CommandSurroundings): Promise<number> {
  const { print, complain } = surroundings;
  try {
    const { values: options, positionals } = understood(() => readArgs(given));
    const [command, ...args] = positionals;
    if (options.help || command === 'help') {
      print(USAGE);
      return 0;
    }
    const asked: Asked = { args, options, library: options.library ?? join(surroundings.policies, 'library'), surroundings };
    switch (command) {
      case 'check':
        return check(asked);
      case 'test':
        return test(asked);
      case 'show':
        return show(asked);
      case 'diff':
        return diff(asked);
      case 'import':
        return await importList(asked);
      default:
        throw new UsageError(command === undefined ? 'Which command?' : `There is no command "${command}".`);
    }
  } catch (error) {
    if (error instanceof UsageError || error instanceof UnknownNameError) {
      complain(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : error.message);
      return 2;
    }
    if (!(error instanceof PolicyFileError)) throw error;
    complain(error.message);
    return 1;
  }
}

function check({ args, options, library, surroundings: { policies, questionnaires, hcpcs, print } }: Asked): number {
  const inLibrary = listFiles(library).map((file) => join(library, file));
  for (const file of args) if (!existsSync(file)) throw new UnknownNameError(`There is no file ${file}.`);
  const files = [...inLibrary.filter((file) => !args.some((each) => basename(each) === basename(file))), ...args];
  const hcpcsFile = options.hcpcs ?? newest(hcpcs);
  const forms = listFiles(join(policies, 'forms')).map((file) => refusals(join(policies, 'forms', file), readFormFile));
  const against: CheckAgainst = {
    payerIds: payerIds(policies),
    forms: new Set(forms.flatMap(({ value }) => (value ? [`${value.url}|${value.version}`] : []))),
    ...(hcpcsFile ? { hcpcs: readHcpcs(hcpcsFile) } : {}),
    ...(existsSync(questionnaires) ? { questionnaires: readCanonicals(questionnaires) } : {}),
  };
  const wanted = [...args, ...args.map(casesFileOf)];
  const others = args.length > 0 ? [] : [...checkDefault(join(policies, 'default.json'), against), ...forms.flatMap(({ found }) => found)];
  const findings = [...checkLibrary(files, against).filter(({ file }) => args.length === 0 || wanted.includes(file)), ...others];
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - errors;
  const checked = args.length === 0 ? files.length : args.length;
  if (options.json) print(JSON.stringify({ checked, errors, warnings, hcpcs: against.hcpcs?.day ?? null, findings }));
  else {
    for (const { file, line, severity, message } of findings) print(`${file}${line === undefined ? '' : `:${line}`}: ${severity}: ${message}`);
    if (!against.hcpcs) print('HCPCS codes were not looked up: no list is there (--hcpcs FILE).');
    print(`${checked} ${checked === 1 ? 'policy' : 'policies'} checked: ${errors} ${errors === 1 ? 'error' : 'errors'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}.`);
  }
  return errors > 0 || (options.strict && warnings > 0) ? 1 : 0;
}

function test({ args, options, library, surroundings: { today, print } }: Asked): number {
  const loaded = listFiles(library).map((file) => readPolicyFile(join(library, file)));
  const wanted = args.length === 0 ? loaded : args.map((id) => policyOf(loaded, id));
  const tried = wanted.map((policy) => {
    const file = casesFileOf(join(library, `${policy.id}.json`));
    const cases = readPolicyCases(file);
    const results = playCases(policy, cases, today);
    const misnamed = existsSync(file) && cases.policy !== policy.id ? [`${file} names the policy ${cases.policy}`] : [];
    return { policy: policy.id, results, missing: [...misnamed, ...missingOutcomes(policy, cases, results)] };
  });
  const bad = tried.flatMap(({ policy, results, missing }) => [...results.flatMap(({ revision, side, name, faults }) => faults.map((fault) => `${policy} ${revision}, ${side}, "${name}": ${fault}`)), ...missing.map((each) => `${policy}: ${each}`)]);
  const count = tried.reduce((sum, { results }) => sum + results.length, 0);
  if (options.json) print(JSON.stringify({ policies: tried.length, played: count, faults: bad, tried }));
  else [...bad, `${tried.length} ${tried.length === 1 ? 'policy' : 'policies'}, ${count} cases played (record and submission each): ${bad.length === 0 ? 'all as expected' : `${bad.length} faults`}.`].forEach((line) => print(line));
  return bad.length > 0 ? 1 : 0;
}

function show({ args: [what, ...more], options, library: folder, surroundings: { policies, today, print } }: Asked): number {
  if (what === undefined || more.length > 0) throw new UsageError('show takes one policy id or service code.');
  const date = options.date ?? today;
  if (!isDay(date)) throw new UnknownNameError(`--date: "${date}" is no date YYYY-MM-DD.`);
  const state = options.state?.toUpperCase();
  if (state !== undefined && !isUsState(state)) throw new UnknownNameError(`--state: "${state}" is no state or territory of the United States in two letters.`);
  const library = loadPolicies(folder);
  const policy = library.policies.find(({ id }) => id === what);
  if (policy) {
    const inForce = policy.revisions.find(({ effectiveFrom, effectiveTo = '9999-12-31' }) => effectiveFrom <= date && date <= effectiveTo);
    if (options.json) print(JSON.stringify({ ...policy, inForce: inForce?.revision ?? null }));
    else describePolicy(policy, date, inForce?.revision).forEach((line) => print(line));
    return 0;
  }
  const coding = /^\d{4}[\dFTUAM]$/i.test(what) ? canonicalCoding({ system: CODE_SYSTEMS.cpt, code: what }) : /^[A-V]\d{4}$/i.test(what) ? canonicalCoding({ system: CODE_SYSTEMS.hcpcs, code: what }) : undefined;
  if (!coding) throw new UnknownNameError(`"${what}" is neither a policy of ${folder} nor a CPT or HCPCS code.`);
  const { payers } = loadPayers('', join(policies, 'payers.json'));
  const asked = options.payer === undefined ? payers : payers.filter(({ id }) => id === options.payer);
  if (asked.length === 0) throw new UnknownNameError(`There is no payer "${options.payer}". There are: ${payers.map(({ id }) => id).join(', ')}.`);
  const answers = asked.map((payer) => explainService(library, payer, { ...coding, date, state }));
  if (options.json) print(JSON.stringify({ ...coding, date, state: state ?? null, answers }));
  else {
    print(`${coding.system === CODE_SYSTEMS.cpt ? 'CPT' : 'HCPCS'} ${coding.code} on ${date}, ${state ? `patient in ${state}` : 'state not known'}`);
    for (const { payer, outcome, says, considered } of answers) {
      print(`\n${payer}${outcome.kind === 'policy' ? `: ${outcome.policy} ${outcome.revision}` : ''}`);
      says.forEach((line) => print(`  ${line}`));
      considered.forEach(({ policy: id, revision, phase, why }) => print(`  . ${id} ${revision} names it ${phase}: ${why}`));
    }
  }
  return 0;
}

function diff({ args: [id, before, after, ...more], options, library, surroundings: { print } }: Asked): number {
  if (id === undefined || before === undefined || after === undefined || more.length > 0) throw new UsageError('diff takes a policy id and two revisions.');
  const policy = policyOf(listFiles(library).map((file) => readPolicyFile(join(library, file))), id);
  const changes = compareRevisions(policy, revisionOf(policy, before), revisionOf(policy, after));
  if (options.json) print(JSON.stringify(changes));
  else describeChanges(changes).forEach((line) => print(line));
  return 0;
}

async function importList({ args: [csv, ...more], options, library, surroundings: { today, print, complain, confirm } }: Asked): Promise<number> {
  if (csv === undefined || more.length > 0 || options.policy === undefined || options.revision === undefined) throw new UsageError('import takes one CSV file, --policy and --revision.');
  const file = join(library, `${options.policy}.json`);
  if (!existsSync(csv)) throw new UnknownNameError(`There is no file ${csv}.`);
  if (!existsSync(file)) throw new UnknownNameError(`There is no policy ${options.policy} in ${library}.`);
  const policy = readPolicyFile(file);
  const revision = revisionOf(policy, options.revision);
  const services = mergeServices(revision.services, parseCodeList(readText(csv), csv, revision), { add: options.add === true });
  const changes = serviceChanges(revision.services, services);
  const said = describeServiceChanges(changes);
  if (!options.json) [`${policy.id} ${revision.revision}: ${changes.length === 0 ? 'names these codes already.' : `${changes.length} ${changes.length === 1 ? 'change' : 'changes'}`}`, ...said.map((line) => `  ${line}`)].forEach((line) => print(line));
  if (changes.length > 0 && revision.effectiveFrom <= today) complain(`Revision ${revision.revision} is in force since ${revision.effectiveFrom}: cases that it decided keep its name. Unless this mends a mistake, end it and add a revision.`);
  const write = changes.length > 0 && (options.yes === true || (!options.json && confirm !== undefined && (await confirm('Write this? (y/n) '))));
  if (write) writeFileSync(file, writeServices(readText(file), policy.revisions.indexOf(revision), services));
  if (options.json) print(JSON.stringify({ policy: policy.id, revision: revision.revision, changes, written: write }));
  else if (write) print(`Wrote ${file}.`);
  else if (changes.length > 0) complain('Nothing was written; --yes writes without asking.');
  return write || changes.length === 0 ? 0 : 1;
}

function describePolicy(policy: Policy, date: string, inForce: string | undefined): readonly string[] {
  return [
    `${policy.id}: ${policy.title} (${policy.family}), for ${policy.payers.join(', ')}`,
    ...policy.revisions.flatMap((revision) => [
      '',
      `${revision.revision}, ${revision.effectiveFrom} to ${revision.effectiveTo ?? 'further notice'}${revision.revision === inForce ? ` (in force on ${date})` : ''}`,
      `  source: ${revision.source.title} <${revision.source.url}>`,
      ...(revision.alsoBasedOn ?? []).map(({ title, url }) => `  also: ${title} <${url}>`),
      `  ${revision.covered}, ${revision.authorization}, documentation ${revision.documentation ?? 'none'}${revision.decision ? `, decided by ${revision.decision.route}` : ''}`,
      ...revision.services.map((service) => `  ${service.codes.join(' ')}: ${phaseInWords(service)}`),
      ...revision.criteria.map(({ id, label }) => `  criterion ${id}: ${label}`),
      ...(revision.instructions === null ? [] : [`  instructions: ${inLines(revision.instructions)}`]),
      ...(revision.responses ?? []).flatMap(({ id, type, summary, detail }) => [`  response ${id}: ${type}: ${summary}`, ...(detail === undefined ? [] : [`    ${inLines(detail)}`])]),
    ]),
    ...(inForce === undefined ? ['', `No revision is in force on ${date}.`] : []),
  ];
}

/** Further lines of a text stand under the first. */
function inLines(text: string): string {
  return text.trim().replaceAll(/\n+/g, '\n    ');
}

function policyOf(policies: readonly Policy[], id: string): Policy {
  const found = policies.find((policy) => policy.id === id);
  if (!found) throw new UnknownNameError(`There is no policy "${id}".`);
  return found;
}

function revisionOf(policy: Policy, name: string): Policy['revisions'][number] {
  const found = policy.revisions.find(({ revision }) => revision === name);
  if (!found) throw new UnknownNameError(`${policy.id} has no revision "${name}". It has: ${policy.revisions.map(({ revision }) => revision).join(', ')}.`);
  return found;
}

function payerIds(policies: string): ReadonlySet<string> {
  return new Set(loadPayers('', join(policies, 'payers.json')).payers.map(({ id }) => id));
}

function newest(folder: string): string | undefined {
  const name = existsSync(folder) ? readdirSync(folder).filter((file) => /^hcpcs-level2-\d{4}-\d{2}\.csv$/.test(file)).sort().at(-1) : undefined;
  return name === undefined ? undefined : join(folder, name);
}

/** The list's month is taken from its name; a list without one counts as older than every code. */
function readHcpcs(file: string): NonNullable<CheckAgainst['hcpcs']> {
  if (!existsSync(file)) throw new UnknownNameError(`There is no file ${file}.`);
  const codes = readText(file).split('\n').flatMap((line) => /^"?([A-V]\d{4})\b/.exec(line)?.[1] ?? []);
  return { codes: new Set(codes), day: `${/(\d{4}-\d{2})\.csv$/.exec(file)?.[1] ?? '0000-00'}-01` };
}

function readCanonicals(folder: string): ReadonlySet<string> {
  return new Set(listFiles(folder).map((file) => JSON.parse(readText(join(folder, file))) as { readonly url?: string; readonly version?: string }).map(({ url, version }) => `${url}|${version}`));
}

/** What node:util's parser refuses is the caller's mistake. */
function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
