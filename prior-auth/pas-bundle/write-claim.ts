import type { Claim, ClaimCareTeam, ClaimItem, ClaimSupportingInfo, Extension, Period } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import type { RequestedService } from '../order/requested-service.ts';
import type { ClaimDiagnosis } from './diagnoses.ts';
import { IDENTIFIER_SYSTEMS } from './identifiers.ts';
import type { PasDialect } from './pas-dialect.ts';
import type { ServiceLine } from './service-line.ts';
import type { RequestCategory } from './setting.ts';

/** One item of a Claim. */
export interface ItemFacts {
  /** Joins Claim, ClaimResponse and later updates: never changes, never used for another item. */
  readonly sequence: number;
  readonly line: ServiceLine;
  /** Urn of the order. */
  readonly order: string;
  /** Urns of the members of the care team that are of this item alone. */
  readonly careTeam: readonly string[];
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
  readonly type: 'professional' | 'institutional';
  /** Who takes part in the whole request: urns of PractitionerRoles and Organizations. */
  readonly overallTeam: readonly string[];
  /** Urn of the Location. */
  readonly facility?: string | undefined;
  /** Urn of the planned Encounter of a stay. */
  readonly encounter?: string | undefined;
  /** When: of a stay or a referral. */
  readonly events: readonly ClaimEvent[];
  readonly priority: RequestedService['priority'];
  readonly items: readonly ItemFacts[];
  /** Sequence n is the nth. */
  readonly diagnoses: readonly ClaimDiagnosis[];
  /** Urns of questionnaire responses and evidence; they follow the events in sequence. */
  readonly information: readonly string[];
}

/** Dates of ten characters; a discharge has one day (2.2.1). */
export interface ClaimEvent {
  readonly category: 'patientEvent' | 'admissionDates' | 'dischargeDates';
  readonly timing: { readonly date: string } | { readonly period: Period };
}

/** A new request. 2.0.1's request bundle demands profile-claim-update of these too; the dialect says which profile. */
export function writeClaim(facts: ClaimFacts, dialect: PasDialect): Claim {
  const isExpedited = facts.priority !== 'routine';
  const extension = [
    ...(isExpedited ? [coded(PAS_EXTENSIONS.levelOfServiceCode, CODE_SYSTEMS.x12LevelOfService, 'U')] : []),
    ...(facts.encounter ? [{ url: PAS_EXTENSIONS.claimEncounter, valueReference: { reference: facts.encounter } }] : []),
  ];
  const ofItems = [...new Set(facts.items.flatMap(({ careTeam }) => careTeam))];
  const team = [...ofItems.map((provider) => ({ provider, isOverall: false })), ...facts.overallTeam.filter((provider) => !ofItems.includes(provider)).map((provider) => ({ provider, isOverall: true }))];
  const firstInformation = facts.events.length + 1;
  const information = facts.information.map((_, index) => firstInformation + index);
  const supportingInfo = [...facts.events.map((event, index) => writeEvent(event, index + 1)), ...facts.information.map((reference, index) => writeInformation(firstInformation + index, reference, dialect))];
  return {
    resourceType: 'Claim',
    meta: { profile: [dialect.newClaimProfile] },
    ...(extension.length > 0 ? { extension } : {}),
    identifier: [{ system: IDENTIFIER_SYSTEMS.claim, value: facts.identifier }],
    status: 'active',
    type: { coding: [{ system: CODE_SYSTEMS.claimType, code: facts.type }] },
    use: 'preauthorization',
    patient: { reference: facts.patient },
    created: facts.created,
    insurer: { reference: facts.insurer },
    provider: { reference: facts.requestor },
    priority: { coding: [{ system: CODE_SYSTEMS.processPriority, code: isExpedited ? 'stat' : 'normal' }] },
    ...(facts.facility ? { facility: { reference: facts.facility } } : {}),
    ...(team.length > 0 ? { careTeam: team.map(({ provider, isOverall }, index) => writeMember(provider, index + 1, isOverall)) } : {}),
    ...(supportingInfo.length > 0 ? { supportingInfo } : {}),
    ...(facts.diagnoses.length > 0
      ? {
          diagnosis: facts.diagnoses.map((diagnosis, index) => writeDiagnosis(diagnosis, index + 1)),
        }
      : {}),
    insurance: [{ sequence: 1, focal: true, coverage: { reference: facts.coverage } }],
    item: facts.items.map((item) => writeItem(item, { careTeam: item.careTeam.map((provider) => ofItems.indexOf(provider) + 1), information }, dialect)),
  };
}

export function writeDiagnosis({ code, display, recordedDate }: ClaimDiagnosis, sequence: number): NonNullable<Claim['diagnosis']>[number] {
  return {
    ...(recordedDate ? { extension: [{ url: PAS_EXTENSIONS.diagnosisRecordedDate, valueDate: recordedDate }] } : {}),
    sequence,
    diagnosisCodeableConcept: { coding: [{ system: CODE_SYSTEMS.icd10cm, code, ...(display ? { display } : {}) }] },
  };
}

/** Sequences of the Claim that an item points at. */
export interface ItemLinks {
  readonly careTeam: readonly number[];
  readonly information: readonly number[];
}

export function writeItem({ sequence, line, order, traceNumber, diagnoses }: Omit<ItemFacts, 'careTeam'>, links: ItemLinks, dialect: PasDialect): ClaimItem {
  return {
    extension: [
      { url: PAS_EXTENSIONS.itemTraceNumber, valueIdentifier: { system: IDENTIFIER_SYSTEMS.itemTrace, value: traceNumber } },
      ...requestTypeExtensions(line.requestCategory),
      { url: PAS_EXTENSIONS.requestedService, valueReference: { reference: order } },
    ],
    sequence,
    productOrService: { coding: [line.code] },
    ...(line.modifiers.length > 0 ? { modifier: line.modifiers.map((modifier) => ({ coding: [modifier] })) } : {}),
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

function writeEvent({ category, timing }: ClaimEvent, sequence: number): ClaimSupportingInfo {
  return {
    sequence,
    category: { coding: [{ system: CODE_SYSTEMS.pasTemp, code: category }] },
    ...('date' in timing ? { timingDate: timing.date } : { timingPeriod: timing.period }),
  };
}

/** UM01, and UM02 I (initial). */
function requestTypeExtensions(category: RequestCategory): Extension[] {
  return [coded(PAS_EXTENSIONS.serviceItemRequestType, CODE_SYSTEMS.x12RequestCategory, category), coded(PAS_EXTENSIONS.certificationType, CODE_SYSTEMS.x12CertificationType, 'I')];
}

/** Scope true: of the whole claim. False: of the items that name the member. */
export function writeMember(provider: string, sequence: number, isOverall: boolean): ClaimCareTeam {
  return { extension: [{ url: PAS_EXTENSIONS.careTeamClaimScope, valueBoolean: isOverall }], sequence, provider: { reference: provider } };
}

export function coded(url: string, system: string, code: string): Extension {
  return { url, valueCodeableConcept: { coding: [{ system, code }] } };
}
