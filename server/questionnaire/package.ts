import type { Library, Questionnaire, QuestionnaireResponse, ValueSet } from '@medplum/fhirtypes';

/** One form of a payer with all that it needs (DTR 2.0.1 DTR-QPackageBundle). */
export interface QuestionnairePackage {
  /** url|version. */
  readonly canonical: string;
  readonly questionnaire: Questionnaire;
  readonly libraries: readonly Library[];
  readonly valueSets: readonly ValueSet[];
  /** The payer's draft, when it sent one. */
  readonly draft?: QuestionnaireResponse;
}
