import type { BindingStrength } from '../tables/table-format.ts';
import type { CodeMembership } from './code-membership.ts';
import { isObject } from './json-values.ts';
import type { IssueCode } from './report.ts';

/** Codes of the element that a message names. */
const MOST_NAMED = 5;

export interface BindingFinding {
  readonly severity: 'error' | 'warning' | 'information';
  readonly code: IssueCode;
  readonly message: string;
}

interface Coded {
  readonly system?: string;
  readonly code: string;
}

/** Holds a code, Coding, CodeableConcept, Quantity or string against a value set. Undefined when it is in it, or no code was given where none is needed. */
export function bindingFinding(
  binding: { readonly strength: BindingStrength; readonly valueSet: string },
  value: unknown,
  membership: CodeMembership,
): BindingFinding | undefined {
  const codes = codedValues(value);
  if (codes === 'not-coded') return undefined;
  const { strength, valueSet } = binding;
  if (codes.length === 0) {
    if (strength === 'extensible' || !isObject(value) || Object.keys(value).every((key) => key === 'extension')) return undefined;
    return { severity: 'error', code: 'binding-required', message: `has no code; one of ${valueSet} is required${offer(valueSet, membership)}` };
  }
  const memberships = codes.map(({ system, code }) => membership.of(valueSet, system, code));
  if (memberships.includes('in')) return undefined;
  const named = codes.slice(0, MOST_NAMED).map(({ system, code }) => (system === undefined ? code : `${system}#${code}`));
  const given = [...named, ...(codes.length > MOST_NAMED ? [`${codes.length - MOST_NAMED} more`] : [])].join(', ');
  if (memberships.includes('unknown')) {
    return {
      severity: 'information',
      code: 'binding-not-verified',
      message: `${given} could not be held against ${valueSet} (${strength}): its codes are in none of the packages`,
    };
  }
  if (strength === 'required') {
    return { severity: 'error', code: 'binding-required', message: `${given} is not in ${valueSet}, which is required${offer(valueSet, membership)}` };
  }
  return {
    severity: codes.some((coded) => besideTheSet(coded, valueSet, membership)) ? 'information' : 'warning',
    code: 'binding-extensible',
    message: `${given} is not in ${valueSet} (extensible): use one of its codes unless none fits${offer(valueSet, membership)}`,
  };
}

/**
 * Another code of a system that the set picks from, such as MB of v2-0203 beside R4's identifier-type. A system has one code
 * for a concept, so none of those picked from it says the same; an extensible binding then allows it.
 */
function besideTheSet({ system, code }: Coded, valueSet: string, membership: CodeMembership): boolean {
  return system !== undefined && membership.systems(valueSet).includes(system) && membership.inSystem(system, code) === 'in';
}

function offer(valueSet: string, membership: CodeMembership): string {
  const codes = membership.codes(valueSet, 12);
  if (codes.length) return `: ${codes.join(', ')}`;
  const systems = membership.systems(valueSet);
  return systems.length ? `, a code of ${systems.join(' or ')}` : '';
}

function codedValues(value: unknown): Coded[] | 'not-coded' {
  if (typeof value === 'string') return [{ code: value }];
  if (!isObject(value)) return 'not-coded';
  if (Array.isArray(value['coding'])) return value['coding'].flatMap(coded);
  // A Quantity's unit may be text only.
  if ('value' in value || 'unit' in value) return coded(value).length ? coded(value) : 'not-coded';
  return coded(value);
}

function coded(value: unknown): Coded[] {
  if (!isObject(value) || typeof value['code'] !== 'string') return [];
  return [typeof value['system'] === 'string' ? { system: value['system'], code: value['code'] } : { system: '(no system)', code: value['code'] }];
}
