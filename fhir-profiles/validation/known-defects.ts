import { PAS_EXTENSIONS } from '../pas/canonical-urls.ts';
import type { IssueCode } from './report.ts';

/** A finding that follows from the letter of a guide and against its meaning. It is left out of reports. */
export interface KnownDefect {
  readonly code: IssueCode;
  /** The extension, or the rule key, that the finding is about. */
  readonly subject: string;
  /** Element paths where it is wrongly refused; absent: everywhere. */
  readonly at?: readonly string[];
  readonly reason: string;
}

const PAS_CONTEXT = 'the PAS profile of this element slices the extension in, while the context of the extension leaves the element out';

export const KNOWN_DEFECTS: readonly KnownDefect[] = [
  { code: 'extension-context', subject: PAS_EXTENSIONS.authorizationNumber, at: ['Claim', 'ClaimResponse', 'ClaimResponse.addItem'], reason: PAS_CONTEXT },
  { code: 'extension-context', subject: PAS_EXTENSIONS.administrationReferenceNumber, at: ['Claim', 'ClaimResponse', 'ClaimResponse.addItem'], reason: PAS_CONTEXT },
];

export function isKnownDefect(code: IssueCode, subject: string, names: readonly string[]): boolean {
  return KNOWN_DEFECTS.some((defect) => defect.code === code && defect.subject === subject && (!defect.at || defect.at.some((path) => names.includes(path))));
}
