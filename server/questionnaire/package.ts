import type { Library, Questionnaire, QuestionnaireResponse, ValueSet } from '@medplum/fhirtypes';

/** One form of a payer with all that it needs (DTR-QPackageBundle, 2.0.1 and 2.2.0 alike). */
export interface QuestionnairePackage {
  /** url|version. */
  readonly canonical: string;
  readonly questionnaire: Questionnaire;
  readonly libraries: readonly Library[];
  readonly valueSets: readonly ValueSet[];
  /** The payer's draft, when it sent one. */
  readonly draft?: QuestionnaireResponse;
  /** An adaptive form; `base` is where its next questions are asked for, when the form says so itself. */
  readonly adaptive?: { readonly base?: string };
  /** Of whom the form is, when it is another payer than the case's own. */
  readonly payerId?: string;
  /** `InformationRequest.id` of what it answers: the payer asked for it after the request was sent. */
  readonly ask?: string;
  /** Relative reference of the coverage that it is filled in for. */
  readonly coverage?: string;
  /** What staff must know about it: the payer's own words, and what it lacks. */
  readonly warnings?: readonly string[];
  /** What is wrong with it, for the payer. */
  readonly faults?: readonly PackageFault[];
}

export interface PackageFault {
  readonly kind: 'library-missing' | 'library-empty' | 'library-twice' | 'value-set-missing' | 'expired' | 'adaptive-url';
  /** A canonical, or a linkId. */
  readonly place: string;
}
