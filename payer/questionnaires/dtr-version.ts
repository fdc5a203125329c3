import { PAS_BASE_PATHS } from '../pas-version.ts';

/** What differs between the versions of DTR that this payer speaks, each at a base address of its own. */
export interface DtrVersion {
  readonly version: '2.0.1' | '2.2.0';
  readonly basePath: string;
  /** Names of the parts in the answer to $questionnaire-package. */
  readonly part: { readonly bundle: string; readonly outcome: string };
  /** information-origin of what the payer filled in. */
  readonly payerOrigin: string;
  /** Extension that carries the compiled form of an expression that stands in a form itself. */
  readonly alternativeExpression: string;
  /** A value set with so many codes or more is not sent along: receivers ask for it by $expand. */
  readonly largeValueSet: number;
}

export const DTR_2_0_1: DtrVersion = {
  version: '2.0.1',
  basePath: '/payer/fhir',
  part: { bundle: 'PackageBundle', outcome: 'operationOutcome' },
  payerOrigin: 'auto',
  alternativeExpression: 'http://hl7.org/fhir/us/ecr/StructureDefinition/us-ph-alternative-expression-extension',
  largeValueSet: Number.POSITIVE_INFINITY,
};

export const DTR_2_2_0: DtrVersion = {
  version: '2.2.0',
  basePath: '/payer/fhir/dtr-2.2',
  part: { bundle: 'packagebundle', outcome: 'outcome' },
  payerOrigin: 'auto-server',
  alternativeExpression: 'http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/alternativeExpression',
  largeValueSet: 40,
};

/** The same at the address of PAS 2.2.1, so that a payer of that version is one base address. */
export const DTR_2_2_0_WITH_PAS: DtrVersion = { ...DTR_2_2_0, basePath: PAS_BASE_PATHS['2.2.1'] };
