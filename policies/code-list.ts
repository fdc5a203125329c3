import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { canonicalCoding } from '#prior-auth/order/canonical-coding.ts';
import type { PolicyRevision } from '#prior-auth/coverage-requirement/policy.ts';
import { isUsState } from '#prior-auth/coverage-requirement/us-states.ts';
import { PolicyFileError } from './json-file.ts';
import { codeFault, systemFault } from './service-faults.ts';

/*
 * Code lists as CSV: system,code,from,to,states. The system is CPT, HCPCS or an address; days and states may be empty; states are divided by
 * spaces. Fields may stand in double quotes; empty lines and lines that begin with # are left out.
 */

type Services = PolicyRevision['services'];
type Phase = Omit<Services[number], 'codes'>;
export interface CodeRow extends Phase {
  readonly code: string;
}

const COLUMNS = 'system,code,from,to,states';
const SHORT_SYSTEMS: Readonly<Record<string, string>> = { CPT: CODE_SYSTEMS.cpt, HCPCS: CODE_SYSTEMS.hcpcs };

/** `revision`: the one that is to name the codes. @throws PolicyFileError with file and line of every fault */
export function parseCodeList(text: string, file: string, revision: Pick<PolicyRevision, 'revision' | 'effectiveFrom' | 'effectiveTo'>): readonly CodeRow[] {
  const faults: string[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/).map((line, i) => ({ line: line.trim(), number: i + 1 })).filter(({ line }) => line !== '' && !line.startsWith('#'));
  const header = lines.shift();
  if (!header || fieldsOf(header.line)?.join(',').toLowerCase() !== COLUMNS) throw new PolicyFileError(`${file}:${header?.number ?? 1}: the first line must be ${COLUMNS}`);
  const seen = new Map<string, number>();
  const rows = lines.flatMap(({ line, number }) => {
    const fields = fieldsOf(line);
    const row = fields ? readRow(fields, revision) : ['a quote is not closed'];
    if (!('code' in row)) {
      faults.push(...row.map((fault) => `${file}:${number}: ${fault}`));
      return [];
    }
    const key = JSON.stringify([row.system, row.code, row.from, row.to, row.states]);
    const before = seen.get(key);
    if (before !== undefined) faults.push(`${file}:${number}: says the same as line ${before}`);
    seen.set(key, number);
    return [row];
  });
  if (faults.length > 0) throw new PolicyFileError(faults.join('\n'));
  if (rows.length === 0) throw new PolicyFileError(`${file}: names no code`);
  return rows;
}

/**
 * The services that the rows name, in the order of `before`: phases and codes that were there keep their place, new ones follow in the order of the rows.
 * `add`: what was there and is not in the rows stays.
 */
export function mergeServices(before: Services, rows: readonly CodeRow[], { add }: { readonly add: boolean }): Services {
  const old = before.flatMap(({ codes, ...phase }) => codes.map((code) => ({ ...phase, code })));
  const wanted = new Set(rows.map(rowKey));
  const kept = old.filter((row) => add || wanted.has(rowKey(row)));
  const known = new Set(kept.map(rowKey));
  const phases = new Map<string, { phase: Phase; codes: string[] }>();
  for (const { code, ...phase } of [...kept, ...rows.filter((row) => !known.has(rowKey(row)))]) {
    const key = phaseKey(phase);
    const entry = phases.get(key);
    if (entry) entry.codes.push(code);
    else phases.set(key, { phase, codes: [code] });
  }
  return [...phases.values()].map(({ phase: { system, from, to, states }, codes }) => ({ system, codes: [...new Set(codes)], ...(from ? { from } : {}), ...(to ? { to } : {}), ...(states ? { states } : {}) }));
}

function readRow([systemText = '', codeText = '', from = '', to = '', statesText = '', ...more]: readonly string[], revision: Parameters<typeof parseCodeList>[2]): CodeRow | string[] {
  const faults: string[] = [];
  if (more.length > 0) faults.push(`has more than the fields ${COLUMNS}`);
  const given = SHORT_SYSTEMS[systemText.toUpperCase()] ?? systemText;
  const system = systemFault(given);
  if (system !== undefined) faults.push(system);
  const coding = canonicalCoding({ system: given, code: codeText });
  if (!coding) faults.push('the code is missing');
  else faults.push(...[codeFault(coding)].filter((fault) => fault !== undefined));
  for (const [name, day] of [['from', from], ['to', to]] as const) if (day !== '' && !isDay(day)) faults.push(`${name}: "${day}" is no date YYYY-MM-DD`);
  if (isDay(from) && isDay(to) && to < from) faults.push(`ends on ${to}, before it begins on ${from}`);
  if (isDay(to) && to < revision.effectiveFrom) faults.push(`ends on ${to}, before revision ${revision.revision} begins on ${revision.effectiveFrom}: the code would never be named`);
  if (isDay(from) && revision.effectiveTo !== undefined && from > revision.effectiveTo) faults.push(`begins on ${from}, after revision ${revision.revision} ends on ${revision.effectiveTo}: the code would never be named`);
  const states = statesText.toUpperCase().split(/[\s;|]+/).filter((state) => state !== '');
  for (const state of states) if (!isUsState(state)) faults.push(`"${state}" is no state or territory of the United States in two letters`);
  if (!coding || faults.length > 0) return faults;
  return { system: coding.system, code: coding.code, ...(from ? { from } : {}), ...(to ? { to } : {}), ...(states.length > 0 ? { states } : {}) };
}

/** Undefined when a quote is not closed. */
function fieldsOf(line: string): readonly string[] | undefined {
  const fields: string[] = [];
  let rest = line;
  for (;;) {
    const match = /^\s*(?:"((?:[^"]|"")*)"\s*|([^",]*))(,|$)/.exec(rest);
    if (!match) return undefined;
    fields.push((match[1]?.replaceAll('""', '"') ?? match[2] ?? '').trim());
    if (match[3] === '') return fields;
    rest = rest.slice(match[0].length);
  }
}

export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text);
}

const phaseKey = ({ system, from, to, states }: Phase): string => JSON.stringify([system, from, to, states]);
const rowKey = (row: CodeRow): string => `${row.code}|${phaseKey(row)}`;
