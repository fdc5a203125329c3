import type { CodeableConcept, Extension, Quantity, Resource } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { PAS_EXTENSIONS, PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import type { PasVersion } from './request-change.ts';

/** What the writers do differently in one PAS version. All that is not here is the same in both. */
export interface PasDialect {
  readonly version: PasVersion;
  readonly newClaimProfile: string;
  /** What every supportingInfo of additional information carries. */
  readonly documentInformation: Extension | undefined;
  quantity(asked: { readonly value: number; readonly unit?: string }): Quantity;
  /** An NPI with a wrong check digit is no identifier. */
  readonly checksNpi: boolean;
  /** A Condition says whether it is a problem of the patient or a diagnosis of an encounter. */
  readonly conditionCategory: CodeableConcept | undefined;
  /** A PractitionerRole has a telecom or an endpoint (US Core pd-1). */
  readonly reachesRoles: boolean;
  /** A schedule says how often (prof-1). */
  readonly timingSaysHowOften: boolean;
  /** The one status that a medication's order may have. */
  readonly medicationStatus: 'active' | undefined;
  /** Why a copy cannot be referenced as additional information, in words for staff; undefined when it can. */
  whyNot(copy: Resource): string | undefined;
}

/** X12 755: the one report type for what a clinician wrote or recorded. */
const REPORT_TYPE = 'PY';

/** Closed list of supportingInfo's targets in 2.2.1. */
const TARGETS_2_2_1: ReadonlySet<string> = new Set([
  'DocumentReference', 'QuestionnaireResponse', 'AllergyIntolerance', 'Condition', 'DiagnosticReport', 'Immunization', 'MedicationRequest', 'Procedure', 'ServiceRequest', 'Observation', 'NutritionOrder', 'DeviceRequest',
]);

export const PAS_DIALECTS: { readonly [V in PasVersion]: PasDialect } = {
  '2.0.1': {
    version: '2.0.1',
    newClaimProfile: PAS_PROFILES.claimUpdate,
    documentInformation: undefined,
    checksNpi: false,
    conditionCategory: undefined,
    quantity: (asked) => asked,
    reachesRoles: false,
    timingSaysHowOften: false,
    medicationStatus: undefined,
    whyNot: () => undefined,
  },
  '2.2.1': {
    version: '2.2.1',
    newClaimProfile: PAS_PROFILES.claim,
    documentInformation: { url: PAS_EXTENSIONS.documentInformation, extension: [{ url: 'reportTypeCode', valueCodeableConcept: { coding: [{ system: CODE_SYSTEMS.x12ReportType, code: REPORT_TYPE }] } }] },
    checksNpi: true,
    conditionCategory: { coding: [{ system: CODE_SYSTEMS.conditionCategory, code: 'problem-list-item' }] },
    // profile-quantity: a unit or a code must be there.
    quantity: ({ value, unit }) => ({ value, unit: unit ?? 'unit' }),
    reachesRoles: true,
    timingSaysHowOften: true,
    medicationStatus: 'active',
    whyNot: (copy) => {
      if (!TARGETS_2_2_1.has(copy.resourceType)) return `PAS 2.2.1 takes no ${copy.resourceType} as supporting information.`;
      // profile-documentreference: data 1..1, url 0..0.
      const isInline = copy.resourceType !== 'DocumentReference' || (copy.content.length > 0 && copy.content.every(({ attachment }) => attachment.data && !attachment.url));
      return isInline ? undefined : 'The content of the document could not be read, and PAS 2.2.1 takes documents only with their content.';
    },
  },
};
