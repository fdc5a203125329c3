/** What outside reviewers did with like denials: shown for a denied case beside where it comes from and how far it may be trusted. */
export interface AppealOutlook {
  /** Estimated share of like denials that the reviewer overturned, 0..1. */
  readonly overturned: number;
  /** What the case was likened to, in the source's own categories. */
  readonly likenedTo: { readonly diagnosis: string; readonly treatment: string };
  /** Determinations of the same diagnosis and treatment category that the estimate was learnt from; 0: fewer than eleven. */
  readonly likeCases: number;
  /** Years the estimate was learnt from. */
  readonly learntFrom: { readonly from: number; readonly to: number };
  /** The year kept apart: what came of the determinations whose estimate was about as high; null where fewer than thirty were. */
  readonly checked: { readonly year: number; readonly count: number; readonly overturned: number; readonly low: number; readonly high: number } | null;
  /** How well it told the two apart in that year; 0.5 is chance. */
  readonly areaUnderRoc: { readonly value: number; readonly low: number; readonly high: number };
  readonly modelVersion: string;
}
