import { CRD_URLS } from '../crd/canonical-urls.ts';
import { PAS_EXTENSIONS } from '../pas/canonical-urls.ts';
import type { IssueCode } from './report.ts';

/** A finding that follows from the letter of a guide and against its meaning. It is left out of reports. */
interface KnownDefect {
  readonly code: IssueCode;
  /** The extension that the finding is about. */
  readonly subject: string;
  /** Element paths, or types, where it is wrongly refused. */
  readonly at: readonly string[];
  readonly reason: string;
}

const SLICED = 'the PAS profile of this element slices the extension in, but the context of the extension leaves the element out';
const DETAIL = 'a part of extension-itemAuthorizedDetail by its own definition, but the context of the extension does not name that extension';
const TIMING = 'profile-datatype-timing slices the extension into every Timing, but its context names Dosage.timing and the requests only';
const AUTHORIZED_DETAIL = ['ClaimResponse.item.extension'];

const context = (subject: string, at: readonly string[], reason: string): KnownDefect => ({ code: 'extension-context', subject, at, reason });

/** PAS 2.0.1 and 2.2.1, CRD 2.0.1, DTR 2.0.1: every extension that a profile asks for where its own context forbids it. */
export const KNOWN_DEFECTS: readonly KnownDefect[] = [
  context(PAS_EXTENSIONS.authorizationNumber, ['Claim'], SLICED),
  context(PAS_EXTENSIONS.administrationReferenceNumber, ['Claim', 'ClaimResponse.item'], SLICED),
  context(PAS_EXTENSIONS.infoChanged, ['Claim.supportingInfo'], SLICED),
  context(PAS_EXTENSIONS.infoCancelled, ['Claim.supportingInfo'], SLICED),
  context(PAS_EXTENSIONS.communicatedDiagnosis, ['ClaimResponse.item'], SLICED),
  context(PAS_EXTENSIONS.productOrServiceCodeEnd, ['ServiceRequest', 'ClaimResponse.addItem'], SLICED),
  context(PAS_EXTENSIONS.productOrServiceCodeEnd, AUTHORIZED_DETAIL, DETAIL),
  context(PAS_EXTENSIONS.itemAuthorizedProvider, ['ClaimResponse'], SLICED),
  context(PAS_EXTENSIONS.revenueUnitRateLimit, ['ClaimResponse.addItem'], SLICED),
  context(PAS_EXTENSIONS.revenueUnitRateLimit, AUTHORIZED_DETAIL, DETAIL),
  context(PAS_EXTENSIONS.serviceItemRequestType, ['ClaimResponse.addItem'], SLICED),
  context(PAS_EXTENSIONS.certificationType, ['ClaimResponse.addItem'], SLICED),
  context(PAS_EXTENSIONS.epsdtIndicator, AUTHORIZED_DETAIL, DETAIL),
  context(PAS_EXTENSIONS.nursingHomeLevelOfCare, AUTHORIZED_DETAIL, DETAIL),
  context(PAS_EXTENSIONS.requestedService, AUTHORIZED_DETAIL, DETAIL),
  context(PAS_EXTENSIONS.revenueCode, AUTHORIZED_DETAIL, DETAIL),
  context(PAS_EXTENSIONS.reviewActionCode, ['ClaimResponse.adjudication.extension'], 'PAS 2.2.1 allows extension-reviewAction on the adjudication of the whole, but not its code'),
  context(PAS_EXTENSIONS.timingCalendarPattern, ['Timing'], TIMING),
  context(PAS_EXTENSIONS.timingDeliveryPattern, ['Timing'], TIMING),
  context(CRD_URLS.coverageInformation, ['Appointment', 'VisionPrescription'], 'CRD 2.0.1 slices it into both profiles; 2.1 corrected the context'),
  context('http://hl7.org/fhir/StructureDefinition/ordinalValue', ['QuestionnaireResponse.item.answer'], 'DTR 2.0.1 slices it into the answer'),
  context('http://hl7.org/fhir/StructureDefinition/rendering-xhtml', ['Questionnaire.item.answerOption.value'], 'DTR 2.0.1 slices it into the option'),
];

/** R4's own definitions carry these extensions where the context does not name the element. */
export const R4_DEFECTS: readonly KnownDefect[] = [
  context('http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type', ['ElementDefinition.type'], 'the type of every id and extension url has it'),
  context('http://hl7.org/fhir/StructureDefinition/regex', ['ElementDefinition.type'], 'the type of every primitive value has it'),
  context(
    'http://hl7.org/fhir/StructureDefinition/structuredefinition-normative-version',
    ['ValueSet', 'CodeSystem', 'OperationDefinition', 'StructureDefinition.snapshot.element', 'StructureDefinition.differential.element'],
    'the normative parts of R4 say so on definitions of every kind',
  ),
  context('http://hl7.org/fhir/StructureDefinition/valueset-concept-comments', ['CodeSystem.concept'], 'the code systems of R4 comment their concepts with it'),
];

const ALL_DEFECTS = [...KNOWN_DEFECTS, ...R4_DEFECTS];

export function isKnownDefect(code: IssueCode, subject: string, names: readonly string[]): boolean {
  return ALL_DEFECTS.some((defect) => defect.code === code && defect.subject === subject && defect.at.some((path) => names.includes(path)));
}
