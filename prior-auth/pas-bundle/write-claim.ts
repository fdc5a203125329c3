import type { Claim, ClaimCareTeam, ClaimItem, ClaimSupportingInfo, Extension } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import type { RequestedService } from '../order/requested-service.ts';
import type { ClaimDiagnosis } from './diagnoses.ts';
import { IDENTIFIER_SYSTEMS } from './identifiers.ts';
import type { PasDialect } from './pas-dialect.ts';
import type { ServiceLine } from './service-line.ts';

/** One item of a Claim. */
export interface ItemFacts {
  /** Joins Claim, ClaimResponse and later updates: never changes, never used for another item. */
  readonly sequence: number;
  readonly line: ServiceLine;
  /** Urn of the order. */
  readonly order: string;
  readonly traceNumber: string;
  /** Sequences of Claim.diagnosis. */
  readonly diagnoses: readonly number[];
}

/** Everything a Claim says, whichever PAS version writes it. References are urns of the same bundle. */
export interface ClaimFacts {
  readonly identifier: string;
  /** ISO instant. */
  readonly created: string;
  readonly patient: string;
  readonly insurer: string;
  readonly requestor: string;
  readonly coverage: string;
  /** PractitionerRole of the ordering clinician. */
  readonly clinician?: string | undefined;
  readonly priority: RequestedService['priority'];
  readonly items: readonly ItemFacts[];
  /** Sequence n is the nth. */
  readonly diagnoses: readonly ClaimDiagnosis[];
  /** Urns of questionnaire responses and evidence; sequence n is the nth. */
  readonly information: readonly string[];
}

/** A new request. 2.0.1's request bundle demands profile-claim-update of these too; the dialect says which profile. */
export function writeClaim(facts: ClaimFacts, dialect: PasDialect): Claim {
  const isExpedited = facts.priority !== 'routine';
  return {
    resourceType: 'Claim',
    meta: { profile: [dialect.newClaimProfile] },
    ...(isExpedited ? { extension: [coded(PAS_EXTENSIONS.levelOfServiceCode, CODE_SYSTEMS.x12LevelOfService, 'U')] } : {}),
    identifier: [{ system: IDENTIFIER_SYSTEMS.claim, value: facts.identifier }],
    status: 'active',
    type: { coding: [{ system: CODE_SYSTEMS.claimType, code: 'professional' }] },
    use: 'preauthorization',
    patient: { reference: facts.patient },
    created: facts.created,
    insurer: { reference: facts.insurer },
    provider: { reference: facts.requestor },
    priority: { coding: [{ system: CODE_SYSTEMS.processPriority, code: isExpedited ? 'stat' : 'normal' }] },
    ...(facts.clinician ? { careTeam: [careTeamMember(facts.clinician)] } : {}),
    ...(facts.information.length > 0 ? { supportingInfo: facts.information.map((reference, index) => writeInformation(index + 1, reference, dialect)) } : {}),
    ...(facts.diagnoses.length > 0
      ? {
          diagnosis: facts.diagnoses.map((diagnosis, index) => writeDiagnosis(diagnosis, index + 1)),
        }
      : {}),
    insurance: [{ sequence: 1, focal: true, coverage: { reference: facts.coverage } }],
    item: facts.items.map((item) => writeItem(item, { careTeam: facts.clinician ? [1] : [], information: facts.information.map((_, index) => index + 1) }, dialect)),
  };
}

export function writeDiagnosis({ code, display, recordedDate }: ClaimDiagnosis, sequence: number): NonNullable<Claim['diagnosis']>[number] {
  return {
    ...(recordedDate ? { extension: [{ url: PAS_EXTENSIONS.diagnosisRecordedDate, valueDate: recordedDate }] } : {}),
    sequence,
    diagnosisCodeableConcept: { coding: [{ system: CODE_SYSTEMS.icd10cm, code, ...(display ? { display } : {}) }] },
  };
}

/** Sequences of the Claim that every item points at. */
export interface ItemLinks {
  readonly careTeam: readonly number[];
  readonly information: readonly number[];
}

export function writeItem({ sequence, line, order, traceNumber, diagnoses }: ItemFacts, links: ItemLinks, dialect: PasDialect): ClaimItem {
  return {
    extension: [
      { url: PAS_EXTENSIONS.itemTraceNumber, valueIdentifier: { system: IDENTIFIER_SYSTEMS.itemTrace, value: traceNumber } },
      ...requestTypeExtensions(),
      { url: PAS_EXTENSIONS.requestedService, valueReference: { reference: order } },
    ],
    sequence,
    productOrService: { coding: [line.code] },
    ...(line.serviced && 'date' in line.serviced ? { servicedDate: line.serviced.date } : {}),
    ...(line.serviced && 'period' in line.serviced ? { servicedPeriod: line.serviced.period } : {}),
    ...(line.quantity ? { quantity: dialect.quantity(line.quantity) } : {}),
    ...(links.careTeam.length > 0 ? { careTeamSequence: [...links.careTeam] } : {}),
    ...(diagnoses.length > 0 ? { diagnosisSequence: [...diagnoses] } : {}),
    ...(links.information.length > 0 ? { informationSequence: [...links.information] } : {}),
    category: { coding: [{ system: CODE_SYSTEMS.x12ServiceType, code: line.category }] },
    locationCodeableConcept: { coding: [{ system: CODE_SYSTEMS.placeOfService, code: line.place }] },
  };
}

export function writeInformation(sequence: number, reference: string, { documentInformation }: PasDialect): ClaimSupportingInfo {
  return {
    ...(documentInformation ? { extension: [documentInformation] } : {}),
    sequence,
    category: { coding: [{ system: CODE_SYSTEMS.pasTemp, code: 'additionalInformation' }] },
    valueReference: { reference },
  };
}

/** UM01 HS (health services review) and UM02 I (initial). */
function requestTypeExtensions(): Extension[] {
  return [coded(PAS_EXTENSIONS.serviceItemRequestType, CODE_SYSTEMS.x12RequestCategory, 'HS'), coded(PAS_EXTENSIONS.certificationType, CODE_SYSTEMS.x12CertificationType, 'I')];
}

/** The clinician belongs to the items, not to the whole claim: scope false, and the items name the member. */
function careTeamMember(clinician: string): ClaimCareTeam {
  return { extension: [{ url: PAS_EXTENSIONS.careTeamClaimScope, valueBoolean: false }], sequence: 1, provider: { reference: clinician } };
}

export function coded(url: string, system: string, code: string): Extension {
  return { url, valueCodeableConcept: { coding: [{ system, code }] } };
}
