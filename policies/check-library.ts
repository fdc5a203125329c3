import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import type { Policy, PolicyRevision } from '#prior-auth/coverage-requirement/policy.ts';
import type { PolicyResponse } from '#prior-auth/coverage-requirement/policy-response.ts';
import { caseFaults } from './case-faults.ts';
import { type Fault, PolicyFileError, readText } from './json-file.ts';
import { lineOfPath } from './json-position.ts';
import { readDefaultFile, readPolicyFile } from './load-policies.ts';
import { readPolicyCases } from './policy-cases.ts';

export interface CheckFinding {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  readonly line?: number;
  readonly message: string;
}

/** What lies outside of the policy files; absent = not checked. */
export interface CheckAgainst {
  readonly payerIds: ReadonlySet<string>;
  /** HCPCS Level II codes, with the day of the list. */
  readonly hcpcs?: { readonly codes: ReadonlySet<string>; readonly day: string };
  /** Canonicals with version of the forms that the payer has. */
  readonly questionnaires?: ReadonlySet<string>;
  /** Canonicals with version of the forms that responses send along. */
  readonly forms?: ReadonlySet<string>;
}

interface CheckedFile {
  readonly file: string;
  readonly text: string;
  readonly policy: Policy;
}

const FOREVER = '9999-12-31';

/** Errors stop the start, or make the cases unreadable; warnings are what an author most likely did not mean. */
export function checkLibrary(files: readonly string[], against: CheckAgainst): readonly CheckFinding[] {
  const findings: CheckFinding[] = [];
  const checked = files.flatMap((file): CheckedFile[] => {
    const { found, value: policy } = refusals(file, readPolicyFile);
    findings.push(...found);
    return policy ? [{ file, text: readText(file), policy }] : [];
  });
  for (const each of checked) findings.push(...payerWarnings(each, against), ...serviceWarnings(each, against), ...questionnaireWarnings(each, against), ...formWarnings(each, against), ...submissionWarnings(each), ...decisionWarnings(each), ...revisionWarnings(each), ...caseFindings(each));
  findings.push(...overlaps(checked));
  return findings;
}

/** What holds for services that no policy names. */
export function checkDefault(file: string, against: CheckAgainst): readonly CheckFinding[] {
  const { found, value } = refusals(file, readDefaultFile);
  if (!value) return found;
  return formFaults(value.everyOrder, against).map(({ path, message }) => ({ severity: 'warning', file, line: lineOfPath(readText(file), ['everyOrder', ...path]), message }));
}

/** Why a file cannot be used, or what it says. */
export function refusals<T>(file: string, read: (file: string) => T): { readonly found: readonly CheckFinding[]; readonly value?: T } {
  try {
    return { found: [], value: read(file) };
  } catch (error) {
    if (!(error instanceof PolicyFileError)) throw error;
    return { found: error.message.split('\n').map((line) => toFinding(file, line)) };
  }
}

/** "file:12: message" of a PolicyFileError. */
function toFinding(file: string, text: string): CheckFinding {
  const match = /^(.*?):(\d+): (.*)$/.exec(text);
  return match ? { severity: 'error', file: match[1] ?? file, line: Number(match[2]), message: match[3] ?? '' } : { severity: 'error', file, message: text.startsWith(`${file}: `) ? text.slice(file.length + 2) : text };
}

function at({ file, text }: CheckedFile, severity: CheckFinding['severity'], path: readonly PropertyKey[], message: string): CheckFinding {
  return { severity, file, line: lineOfPath(text, path), message };
}

function payerWarnings(each: CheckedFile, { payerIds }: CheckAgainst): readonly CheckFinding[] {
  return each.policy.payers.flatMap((payer, p) => (payer === '*' || payerIds.has(payer) ? [] : [at(each, 'warning', ['payers', p], `payer ${payer} is not one of payers.json`)]));
}

function serviceWarnings(each: CheckedFile, { hcpcs }: CheckAgainst): readonly CheckFinding[] {
  return each.policy.revisions.flatMap((revision, r) =>
    revision.services.flatMap((service, s) => {
      const path = ['revisions', r, 'services', s];
      const { from, to } = periodOf(revision, service);
      if (to < from) return [at(each, 'warning', path, `these services are never named: revision ${revision.revision} is in force from ${revision.effectiveFrom} to ${revision.effectiveTo ?? 'further notice'}, the phase is outside of it`)];
      const outside = [
        ...(service.from !== undefined && service.from < revision.effectiveFrom ? [at(each, 'warning', [...path, 'from'], `the phase begins on ${service.from}, but revision ${revision.revision} only on ${revision.effectiveFrom}: before that day it says nothing`)] : []),
        ...(service.to !== undefined && service.to > (revision.effectiveTo ?? FOREVER) ? [at(each, 'warning', [...path, 'to'], `the phase ends on ${service.to}, but revision ${revision.revision} already on ${revision.effectiveTo}: after that day it says nothing`)] : []),
      ];
      if (!hcpcs || service.system !== CODE_SYSTEMS.hcpcs || to < hcpcs.day) return outside;
      return [...outside, ...service.codes.flatMap((code, c) => (hcpcs.codes.has(code) ? [] : [at(each, 'warning', [...path, 'codes', c], `HCPCS of ${hcpcs.day} does not know ${code}`)]))];
    }),
  );
}

function questionnaireWarnings(each: CheckedFile, { questionnaires }: CheckAgainst): readonly CheckFinding[] {
  if (!questionnaires) return [];
  return each.policy.revisions.flatMap((revision, r) =>
    revision.questionnaires.flatMap((canonical, q) => (questionnaires.has(canonical) ? [] : [at(each, 'warning', ['revisions', r, 'questionnaires', q], `the payer has no questionnaire ${canonical}`)])),
  );
}

function formWarnings(each: CheckedFile, against: CheckAgainst): readonly CheckFinding[] {
  return each.policy.revisions.flatMap((revision, r) => formFaults(revision.responses, against).map(({ path, message }) => at(each, 'warning', ['revisions', r, 'responses', ...path], message)));
}

/** A client that does not know the form has nowhere to get it from. Paths begin at the responses. */
function formFaults(responses: readonly PolicyResponse[] = [], { questionnaires, forms }: CheckAgainst): readonly Fault[] {
  if (!questionnaires || !forms) return [];
  return responses.flatMap((each, i) =>
    each.type !== 'form-completion' || questionnaires.has(each.questionnaire) || forms.has(each.questionnaire) ? [] : [{ path: [i, 'questionnaire'], message: `nobody has the questionnaire ${each.questionnaire}: it is neither in policies/forms nor one of the payer's` }],
  );
}

/** Nothing to weigh, and no person to weigh it: an empty chart would be approved. */
function decisionWarnings(each: CheckedFile): readonly CheckFinding[] {
  return each.policy.revisions.flatMap(({ revision, covered, authorization, criteria, decision }, r) => {
    const approvesAll = criteria.length === 0 && decision?.route === 'automatic' && covered !== 'not-covered' && authorization !== 'no-auth';
    return approvesAll ? [at(each, 'warning', ['revisions', r, 'criteria'], `revision ${revision} has no criteria and is decided automatically: the payer would approve an empty chart; add criteria, or take the route "reviewer"`)] : [];
  });
}

/** The panel sends what the form's answers rest on; a criterion that no answer decides would be weighed on chance. */
function submissionWarnings(each: CheckedFile): readonly CheckFinding[] {
  return each.policy.revisions.flatMap((revision, r) =>
    revision.questionnaires.length === 0 ? [] : revision.criteria.flatMap(({ id, submission }, c) => (submission === undefined ? [at(each, 'warning', ['revisions', r, 'criteria', c], `criterion ${id} says no submission, though the revision has a questionnaire: which answer decides it?`)] : [])),
  );
}

/** A policy is tried on cases before it is relied on. They lie in tests/ beside the library's folder. */
export function casesFileOf(policyFile: string): string {
  return join(dirname(policyFile), '../tests', basename(policyFile));
}

function caseFindings(each: CheckedFile): readonly CheckFinding[] {
  const file = casesFileOf(each.file);
  if (!existsSync(file)) return [at(each, 'warning', ['id'], `the policy has no cases: write ${file}, as docs/policies.md tells`)];
  const { found, value } = refusals(file, readPolicyCases);
  if (!value) return found;
  const text = readText(file);
  return caseFaults(each.policy, value).map(({ path, message }) => ({ severity: 'warning', file, line: lineOfPath(text, path), message: `${path.join('.')}: ${message}` }));
}

/** Revisions that no order can reach, and days between two revisions on which none holds. */
function revisionWarnings(each: CheckedFile): readonly CheckFinding[] {
  const { revisions } = each.policy;
  return revisions.flatMap((revision, r) => {
    const path = ['revisions', r];
    const unreachable = revision.services.every((service) => periodOf(revision, service).to < periodOf(revision, service).from);
    const next = revisions.filter((other) => other.effectiveFrom > revision.effectiveFrom).sort((a, b) => (a.effectiveFrom < b.effectiveFrom ? -1 : 1))[0];
    const gap = next && revision.effectiveTo !== undefined && dayAfter(revision.effectiveTo) < next.effectiveFrom;
    return [
      ...(unreachable ? [at(each, 'warning', [...path, 'revision'], `revision ${revision.revision} cannot be reached: none of its services is named while it is in force`)] : []),
      ...(gap ? [at(each, 'warning', [...path, 'effectiveTo'], `no revision holds from ${dayAfter(revision.effectiveTo ?? FOREVER)} until ${next.revision} begins on ${next.effectiveFrom}`)] : []),
    ];
  });
}

interface Named {
  readonly each: CheckedFile;
  readonly path: readonly PropertyKey[];
  readonly from: string;
  readonly to: string;
  readonly states: readonly string[] | undefined;
}

/** Two policies of the same standing (both for all payers, or both naming the payer) for one code on one day: only the first in the folder answers. */
function overlaps(checked: readonly CheckedFile[]): readonly CheckFinding[] {
  const byCode = new Map<string, Named[]>();
  for (const each of checked) {
    each.policy.revisions.forEach((revision, r) =>
      revision.services.forEach((service, s) => {
        const named: Named = { each, path: ['revisions', r, 'services', s], ...periodOf(revision, service), states: service.states };
        for (const code of service.codes) byCode.set(code, [...(byCode.get(code) ?? []), named]);
      }),
    );
  }
  const found = new Map<string, { first: Named; second: Named; payers: readonly string[]; codes: Set<string>; from: string }>();
  for (const [code, all] of byCode) {
    all.forEach((first, i) =>
      all.slice(i + 1).forEach((second) => {
        const payers = sharedPayers(first.each.policy.payers, second.each.policy.payers);
        const from = first.from > second.from ? first.from : second.from;
        const to = first.to < second.to ? first.to : second.to;
        const apart = first.states && second.states && !first.states.some((state) => second.states?.includes(state));
        if (first.each === second.each || payers.length === 0 || to < from || apart) return;
        const key = `${first.each.file}|${second.each.file}`;
        const entry = found.get(key);
        if (entry) entry.codes.add(code);
        else found.set(key, { first, second, payers, codes: new Set([code]), from });
      }),
    );
  }
  return [...found.values()].map(({ first, second, payers, codes, from }) =>
    at(second.each, 'warning', second.path, `${second.each.policy.id} and ${first.each.policy.id} (${basename(first.each.file)}) both name ${[...codes].join(', ')} for ${payers.map((payer) => (payer === '*' ? 'every payer' : payer)).join(', ')} from ${from}: only ${first.each.policy.id} answers`),
  );
}

function sharedPayers(a: readonly string[], b: readonly string[]): readonly string[] {
  return a.filter((payer) => b.includes(payer));
}

export function periodOf(revision: Pick<PolicyRevision, 'effectiveFrom' | 'effectiveTo'>, service: Pick<PolicyRevision['services'][number], 'from' | 'to'>): { readonly from: string; readonly to: string } {
  const [from, to, effectiveTo] = [service.from ?? '', service.to ?? FOREVER, revision.effectiveTo ?? FOREVER];
  return { from: from > revision.effectiveFrom ? from : revision.effectiveFrom, to: to < effectiveTo ? to : effectiveTo };
}

function dayAfter(day: string): string {
  return new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
}
