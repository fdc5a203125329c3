import type { IgId } from '../tables/ig-lock.ts';

/** Stable: callers switch on them. docs/validator.md says what each means. */
export const ISSUE_CODES = [
  'not-a-resource',
  'profile-unknown',
  'profile-wrong-type',
  'cardinality-min',
  'cardinality-max',
  'array-expected',
  'array-not-allowed',
  'empty',
  'unknown-element',
  'type-not-allowed',
  'choice-repeated',
  'wrong-json-type',
  'primitive-format',
  'value-range',
  'fixed-value',
  'pattern',
  'slice-min',
  'slice-max',
  'slice-closed',
  'binding-required',
  'binding-extensible',
  'binding-not-verified',
  'code-unknown',
  'code-system',
  'extension-unknown',
  'extension-part-unknown',
  'modifier-extension-unknown',
  'extension-value',
  'extension-context',
  'reference-target',
  'reference-target-profile',
  'invariant',
  'invariant-not-verified',
  'bundle-first-entry',
  'bundle-full-url',
  'bundle-duplicate',
  'bundle-dangling-reference',
  'bundle-missing-reference',
  'bundle-unreferenced',
  'bundle-sequence',
] as const;
export type IssueCode = (typeof ISSUE_CODES)[number];

export interface ValidationIssue {
  readonly severity: 'error' | 'warning' | 'information';
  readonly code: IssueCode;
  /** FHIRPath of the place. */
  readonly path: string;
  /** What is wrong, what was expected. Holds codes and canonicals of the instance, never names, dates or free text. */
  readonly message: string;
  /** Nobody could decide with the lists at hand; never to be read as passed. */
  readonly notVerified?: true;
}

export interface ValidationReport {
  /** The guide in whose words it was read; absent when it was not looked at. */
  readonly guide?: IgId;
  /** No error. Issues that are `notVerified` do not count against it. */
  readonly valid: boolean;
  /** Canonicals the resource was held against. */
  readonly profiles: readonly string[];
  readonly issues: readonly ValidationIssue[];
}

export function report(profiles: readonly string[], found: readonly ValidationIssue[], guide?: IgId): ValidationReport {
  const seen = new Set<string>();
  const issues = found.filter(({ code, path, message }) => {
    const key = `${code} ${path} ${message}`;
    return !seen.has(key) && seen.add(key);
  });
  return { valid: !issues.some(({ severity }) => severity === 'error'), ...(guide === undefined ? {} : { guide }), profiles, issues };
}
