import { splitCanonical } from '../base/canonical.ts';
import type { IssueCode, ValidationIssue, ValidationReport } from '../validation/report.ts';

const RANK = { error: 0, warning: 1, information: 2 } as const;
const WORD = { error: 'error', warning: 'warning', information: 'note' } as const;

/** What many findings of one code have in common; each is shown only when asked for. */
const IN_SHORT: Partial<Readonly<Record<IssueCode, string>>> = {
  'binding-not-verified': 'codes of lists that are in none of the packages',
  'invariant-not-verified': 'rules that need a server, or that the FHIRPath engine refuses',
};

interface Finding {
  readonly issue: ValidationIssue;
  readonly count: number;
}

/** Errors first. Unless `verbose`, findings that differ in nothing but their place are one line with a count. */
export function reportText(label: string, { valid, profiles, issues }: ValidationReport, verbose: boolean): string {
  const sorted = issues.toSorted((left, right) => RANK[left.severity] - RANK[right.severity]);
  const findings = verbose ? sorted.map((issue) => ({ issue, count: 1 })) : folded(sorted);
  const verified = findings.filter(({ issue }) => !issue.notVerified);
  const notVerified = findings.filter(({ issue }) => issue.notVerified);
  return [
    `${label}: ${valid ? 'no error' : 'NOT VALID'} (${counts(issues)})`,
    ...(profiles.length ? [`  against ${profiles.map((profile) => splitCanonical(profile).url).join(', ')}`] : []),
    ...verified.map((finding) => `  ${WORD[finding.issue.severity].padEnd(8)} ${place(finding)}\n           ${finding.issue.message} [${finding.issue.code}]`),
    ...(notVerified.length ? ['  not verified:'] : []),
    ...notVerified.map(({ issue, count }) => {
      const short = verbose ? undefined : IN_SHORT[issue.code];
      return short === undefined ? `    ${place({ issue, count })}\n           ${issue.message}` : `    ${count} × ${short} [${issue.code}]`;
    }),
    ...(findings.length < issues.length ? ['  --verbose lists each finding.'] : []),
  ].join('\n');
}

function folded(issues: readonly ValidationIssue[]): Finding[] {
  const byLikeness = new Map<string, { issue: ValidationIssue; count: number }>();
  for (const issue of issues) {
    const key = likeness(issue);
    const known = byLikeness.get(key);
    if (known) known.count += 1;
    else byLikeness.set(key, { issue, count: 1 });
  }
  return [...byLikeness.values()];
}

function likeness({ severity, code, path, message }: ValidationIssue): string {
  if (IN_SHORT[code] !== undefined) return code;
  const where = severity === 'information' ? '' : path.replaceAll(/\[\d+\]/g, '[]');
  return `${severity} ${code} ${where} ${message}`;
}

function place({ issue: { path }, count }: Finding): string {
  const more = count - 1;
  return `${path || '(root)'}${more ? ` and ${more} more place${more === 1 ? '' : 's'}` : ''}`;
}

function counts(issues: readonly ValidationIssue[]): string {
  const of = (severity: ValidationIssue['severity']): number => issues.filter((issue) => issue.severity === severity && !issue.notVerified).length;
  const words = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
  const notVerified = issues.filter((issue) => issue.notVerified).length;
  return `${words(of('error'), 'error')}, ${words(of('warning'), 'warning')}, ${words(of('information'), 'note')}, ${notVerified} not verified`;
}
