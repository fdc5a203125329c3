import type { Resource } from '@medplum/fhirtypes';
import { holds } from '#prior-auth/coverage-requirement/hold-criteria.ts';
import type { ResponseWhen } from '#prior-auth/coverage-requirement/policy-response.ts';
import type { CriterionFinding } from '#prior-auth/coverage-requirement/requirement.ts';
import type { DeterminedFocus } from '../determined-focus.ts';
import type { Hook } from '../hook-call.ts';

/**
 * Whether a response is given to one order at one hook. What is not known is never read as a reason to give it, but for `unknown` and `open`: what the record
 * does not show. Of one criterion that could not be read that is not known either; `any-open` means such a one too.
 */
export function isGiven(when: ResponseWhen, { focus, service, determination, coverage, today }: DeterminedFocus, hook: Hook): boolean {
  if (when.hooks && !when.hooks.includes(hook)) return false;
  if (when.codes && !service?.codings.some(({ code }) => when.codes?.some((wanted) => fits(code, wanted)))) return false;
  if (!criteriaFit(when.criteria, determination.findings)) return false;
  return isTrue(when.order, focus, today) && isTrue(when.coverage, coverage, today);
}

function criteriaFit(wanted: ResponseWhen['criteria'], findings: readonly CriterionFinding[]): boolean {
  switch (wanted) {
    case 'always':
      return true;
    case 'all-met':
      return findings.length > 0 && findings.every(({ status }) => status === 'met');
    case 'any-open':
      return findings.some(({ status }) => status !== 'met');
    case 'any-not-met':
      return findings.some(({ status }) => status === 'not-met');
    default:
      return Object.entries(wanted).every(([id, status]) => {
        const found = findings.find(({ criterionId }) => criterionId === id);
        return found !== undefined && !found.unread && (status === 'open' ? found.status !== 'met' : found.status === status);
      });
  }
}

function isTrue(path: string | undefined, resource: Resource | undefined, today: string): boolean {
  return path === undefined || (resource !== undefined && holds(path, resource, today));
}

const fits = (code: string, wanted: string): boolean => (wanted.endsWith('*') ? code.startsWith(wanted.slice(0, -1)) : code === wanted);
