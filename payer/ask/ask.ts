/** What a reviewer wants before an item is decided. */
export interface Ask {
  /** The attachment control number. */
  readonly controlNumber: string;
  readonly sequence: number;
  readonly wants:
    /** LOINC or X12 755 codes. */
    | { readonly kind: 'attachment'; readonly codes: readonly { readonly system: string; readonly code: string }[] }
    /** `context` is what `$questionnaire-package` takes. */
    | { readonly kind: 'questionnaire'; readonly questionnaire: string; readonly context: string };
  readonly text?: string;
  /** YYYY-MM-DD. */
  readonly due?: string;
}
