import type { Claim, ClaimItem, Extension, Identifier } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { PAS_EXTENSIONS, PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import type { RequestedService } from '../order/requested-service.ts';
import type { ClaimDiagnosis } from './diagnoses.ts';
import { IDENTIFIER_SYSTEMS } from './identifiers.ts';
import type { ServiceLine } from './service-line.ts';

/** Everything a Claim says, whichever PAS version writes it. References are urns of the same bundle. */
export interface ClaimFacts {
  readonly identifier: string;
  /** ISO instant. */
  readonly created: string;
  readonly patient: string;
  readonly insurer: string;
  readonly requestor: string;
  readonly coverage: string;
  readonly order: string;
  /** PractitionerRole of the ordering clinician. */
  readonly clinician?: string | undefined;
  readonly priority: RequestedService['priority'];
  readonly line: ServiceLine;
  readonly traceNumber: string;
  readonly diagnoses: readonly ClaimDiagnosis[];
  /** Urns of questionnaire responses and evidence. */
  readonly information: readonly string[];
}

/** The one item of an order: sequence numbers join Claim, ClaimResponse and later updates, so they are fixed here. */
export const ITEM_SEQUENCE = 1;

/** PAS 2.0.1 profile-claim-update, which its request bundle demands of new requests too. */
export function writeClaim(facts: ClaimFacts): Claim {
  const { line } = facts;
  const isExpedited = facts.priority !== 'routine';
  return {
    resourceType: 'Claim',
    meta: { profile: [PAS_PROFILES.claimUpdate] },
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
    ...(facts.information.length > 0
      ? {
          supportingInfo: facts.information.map((reference, index) => ({
            sequence: index + 1,
            category: { coding: [{ system: CODE_SYSTEMS.pasTemp, code: 'additionalInformation' }] },
            valueReference: { reference },
          })),
        }
      : {}),
    ...(facts.diagnoses.length > 0
      ? {
          diagnosis: facts.diagnoses.map(({ code, display, recordedDate }, index) => ({
            ...(recordedDate ? { extension: [{ url: PAS_EXTENSIONS.diagnosisRecordedDate, valueDate: recordedDate }] } : {}),
            sequence: index + 1,
            diagnosisCodeableConcept: { coding: [{ system: CODE_SYSTEMS.icd10cm, code, ...(display ? { display } : {}) }] },
          })),
        }
      : {}),
    insurance: [{ sequence: 1, focal: true, coverage: { reference: facts.coverage } }],
    item: [
      {
        extension: [
          { url: PAS_EXTENSIONS.itemTraceNumber, valueIdentifier: traceIdentifier(facts.traceNumber) },
          ...requestTypeExtensions(),
          { url: PAS_EXTENSIONS.requestedService, valueReference: { reference: facts.order } },
        ],
        ...itemFacts(line),
        ...(facts.clinician ? { careTeamSequence: [1] } : {}),
        ...(facts.diagnoses.length > 0 ? { diagnosisSequence: facts.diagnoses.map((_, index) => index + 1) } : {}),
        ...(facts.information.length > 0 ? { informationSequence: facts.information.map((_, index) => index + 1) } : {}),
        category: { coding: [{ system: CODE_SYSTEMS.x12ServiceType, code: line.category }] },
        locationCodeableConcept: { coding: [{ system: CODE_SYSTEMS.placeOfService, code: line.place }] },
      },
    ],
  };
}

function itemFacts(line: ServiceLine): Pick<ClaimItem, 'sequence' | 'productOrService' | 'servicedDate' | 'servicedPeriod' | 'quantity'> {
  return {
    sequence: ITEM_SEQUENCE,
    productOrService: { coding: [line.code] },
    ...(line.serviced && 'date' in line.serviced ? { servicedDate: line.serviced.date } : {}),
    ...(line.serviced && 'period' in line.serviced ? { servicedPeriod: line.serviced.period } : {}),
    ...(line.quantity ? { quantity: line.quantity } : {}),
  };
}

/** UM01 HS (health services review) and UM02 I (initial). */
function requestTypeExtensions(): Extension[] {
  return [coded(PAS_EXTENSIONS.serviceItemRequestType, CODE_SYSTEMS.x12RequestCategory, 'HS'), coded(PAS_EXTENSIONS.certificationType, CODE_SYSTEMS.x12CertificationType, 'I')];
}

function traceIdentifier(value: string): Identifier {
  return { system: IDENTIFIER_SYSTEMS.itemTrace, value };
}

/** The clinician belongs to the item, not to the whole claim: scope false, and the item names the member. */
function careTeamMember(clinician: string) {
  return { extension: [{ url: PAS_EXTENSIONS.careTeamClaimScope, valueBoolean: false }], sequence: 1, provider: { reference: clinician } };
}

function coded(url: string, system: string, code: string): Extension {
  return { url, valueCodeableConcept: { coding: [{ system, code }] } };
}
