/** What was said on coverage at the end of an adaptive form. */
export interface KeptDetermination {
  readonly assertionId: string;
  /** url|version of the form. */
  readonly questionnaire: string;
  /** The number of the authorization that the answers earned. */
  readonly authorizationNumber?: string;
  /** The completed QuestionnaireResponse as JSON text. */
  readonly response: string;
}

/** The determinations that this payer gave to one caller. */
export interface DeterminationRecord {
  /** The same determination, kept again, changes nothing. */
  keep(determination: KeptDetermination): Promise<void>;
  /** The form that an assertion rests on; undefined for one that was never given to this caller. */
  questionnaireOf(assertionId: string): Promise<string | undefined>;
}
