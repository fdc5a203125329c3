import type { Policy, PolicyRevision } from '#prior-auth/coverage-requirement/policy.ts';

export interface RevisionChanges {
  readonly policyId: string;
  readonly from: string;
  readonly to: string;
  readonly services: readonly ServiceChange[];
  /** Elements other than services and criteria whose value differs; undefined stands for absent. */
  readonly elements: readonly { readonly element: string; readonly before: unknown; readonly after: unknown }[];
  readonly criteria: readonly CriterionChange[];
}

export type ServiceChange = { readonly code: string } & ({ readonly kind: 'added'; readonly after: string } | { readonly kind: 'removed'; readonly before: string } | { readonly kind: 'changed'; readonly before: string; readonly after: string });
export type CriterionChange = { readonly id: string; readonly label: string } & ({ readonly kind: 'added' | 'removed' } | { readonly kind: 'changed'; readonly parts: readonly { readonly part: string; readonly before: unknown; readonly after: unknown }[] });

const ELEMENTS = [
  'effectiveFrom', 'effectiveTo', 'source', 'alsoBasedOn', 'covered', 'authorization', 'documentation', 'documentationPurpose', 'infoNeeded', 'reason', 'questionnaires', 'decision', 'instructions', 'responses',
] as const satisfies readonly (keyof PolicyRevision)[];
const CRITERION_PARTS = ['label', 'evidence', 'record', 'submission'] as const;

/** What is different in the second revision. */
export function compareRevisions({ id }: Pick<Policy, 'id'>, before: PolicyRevision, after: PolicyRevision): RevisionChanges {
  return {
    policyId: id,
    from: before.revision,
    to: after.revision,
    services: serviceChanges(before.services, after.services),
    elements: ELEMENTS.flatMap((element) => (same(before[element], after[element]) ? [] : [{ element, before: before[element], after: after[element] }])),
    criteria: criterionChanges(before.criteria, after.criteria),
  };
}

export function serviceChanges(before: PolicyRevision['services'], after: PolicyRevision['services']): readonly ServiceChange[] {
  const [old, now] = [phasesByCode(before), phasesByCode(after)];
  return [
    ...[...now].flatMap(([code, phases]): ServiceChange[] => {
      const was = old.get(code);
      if (was === undefined) return [{ kind: 'added', code, after: phases }];
      return was === phases ? [] : [{ kind: 'changed', code, before: was, after: phases }];
    }),
    ...[...old].flatMap(([code, phases]): ServiceChange[] => (now.has(code) ? [] : [{ kind: 'removed', code, before: phases }])),
  ];
}

/** Lines for people; none when nothing differs. */
export function describeServiceChanges(changes: readonly ServiceChange[]): readonly string[] {
  return changes.map((change) => {
    switch (change.kind) {
      case 'added':
        return `+ ${change.code}  ${change.after}`;
      case 'removed':
        return `- ${change.code}  ${change.before}`;
      case 'changed':
        return `~ ${change.code}  ${change.before}  ->  ${change.after}`;
    }
  });
}

export function describeChanges({ policyId, from, to, services, elements, criteria }: RevisionChanges): readonly string[] {
  const shown = (value: unknown): string => (value === undefined ? '(none)' : typeof value === 'string' ? value.replaceAll('\n', '\n    ') : JSON.stringify(value));
  const block = (title: string, lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)]);
  const inCriteria = criteria.flatMap((change) => {
    if (change.kind !== 'changed') return [`${change.kind === 'added' ? '+' : '-'} ${change.id}: ${change.label}`];
    return [`~ ${change.id}: ${change.label}`, ...change.parts.flatMap(({ part, before, after }) => [`    ${part}`, `      - ${shown(before)}`, `      + ${shown(after)}`])];
  });
  const differs = services.length + elements.length + criteria.length > 0;
  return [
    `${policyId}: ${from} -> ${to}`,
    ...block('Services', describeServiceChanges(services)),
    ...block('Criteria', inCriteria),
    ...elements.flatMap(({ element, before, after }) => ['', element, `  - ${shown(before)}`, `  + ${shown(after)}`]),
    ...(differs ? [] : ['', 'No difference but the name.']),
  ];
}

function criterionChanges(before: PolicyRevision['criteria'], after: PolicyRevision['criteria']): readonly CriterionChange[] {
  const old = new Map(before.map((criterion) => [criterion.id, criterion]));
  return [
    ...after.flatMap((criterion): CriterionChange[] => {
      const was = old.get(criterion.id);
      if (!was) return [{ kind: 'added', id: criterion.id, label: criterion.label }];
      const parts = CRITERION_PARTS.flatMap((part) => (same(was[part], criterion[part]) ? [] : [{ part, before: was[part], after: criterion[part] }]));
      return parts.length === 0 ? [] : [{ kind: 'changed', id: criterion.id, label: criterion.label, parts }];
    }),
    ...before.flatMap((criterion): CriterionChange[] => (after.some(({ id }) => id === criterion.id) ? [] : [{ kind: 'removed', id: criterion.id, label: criterion.label }])),
  ];
}

/** "as long as the revision", or the phases in words, by code. */
function phasesByCode(services: PolicyRevision['services']): ReadonlyMap<string, string> {
  const phases = new Map<string, string[]>();
  for (const service of services) for (const code of service.codes) phases.set(code, [...(phases.get(code) ?? []), phaseInWords(service)]);
  return new Map([...phases].map(([code, words]) => [code, words.sort().join('; ')]));
}

export function phaseInWords({ from, to, states }: Pick<PolicyRevision['services'][number], 'from' | 'to' | 'states'>): string {
  const days = [...(from ? [`from ${from}`] : []), ...(to ? [`to ${to}`] : [])].join(' ') || 'as long as the revision';
  return states ? `${days} in ${states.join(' ')}` : days;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
