import type { CodeableConcept, Extension, Timing } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { extensionsByUrl } from '#fhir/base/extension.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import type { Order } from '../order/requested-service.ts';
import type { BundleContents } from './bundle-contents.ts';
import { problem, written, type Written } from './members.ts';
import type { ServiceLine } from './service-line.ts';

export interface OrderCopyLinks {
  readonly patient: string;
  /** PractitionerRole, or the Organization when no clinician is known. */
  readonly requester: string;
  readonly practitioner?: string | undefined;
  readonly contents: BundleContents;
}

/**
 * The order as the PAS order profiles want it: `intent` is `order` whatever the record calls it (original-order, filler-order, plan), codes are
 * billing codes, occurrence is a Timing or goes to Claim.item.serviced. Of the extensions only coverage-information travels.
 */
export function writeOrder(order: Order, line: ServiceLine, links: OrderCopyLinks): Written<Order> {
  const shared = {
    ...extensionOf(order, links.contents),
    intent: 'order',
    ...(order.resourceType !== 'VisionPrescription' && 'priority' in order && order.priority ? { priority: order.priority } : {}),
    subject: { reference: links.patient },
  } as const;
  const status = (order.status === 'unknown' ? 'active' : order.status) ?? 'active';
  switch (order.resourceType) {
    case 'ServiceRequest':
      return written({
        resourceType: 'ServiceRequest',
        meta: { profile: [PAS_PROFILES.serviceRequest] },
        ...shared,
        status: status as 'active',
        code: codeOf(line, order.code),
        ...(line.quantity ? { quantityQuantity: line.quantity } : {}),
        ...timingOf(order.occurrenceTiming),
        ...(order.authoredOn ? { authoredOn: order.authoredOn } : {}),
        requester: { reference: links.requester },
        ...reasonsOf(order),
        ...(order.bodySite ? { bodySite: order.bodySite } : {}),
      });
    case 'DeviceRequest':
      return written({
        resourceType: 'DeviceRequest',
        meta: { profile: [PAS_PROFILES.deviceRequest] },
        ...shared,
        status: status as 'active',
        codeCodeableConcept: codeOf(line, order.codeCodeableConcept),
        ...(order.parameter ? { parameter: order.parameter } : {}),
        ...timingOf(order.occurrenceTiming),
        ...(order.authoredOn ? { authoredOn: order.authoredOn } : {}),
        requester: { reference: links.requester },
        ...reasonsOf(order),
      });
    case 'MedicationRequest': {
      if (!order.authoredOn) return problem('ORDER_DATE_MISSING', 'The medication order has no date.', 'Complete the date of the order in the EHR.');
      const dispensed = order.dispenseRequest?.quantity;
      return written({
        resourceType: 'MedicationRequest',
        meta: { profile: [PAS_PROFILES.medicationRequest] },
        ...shared,
        status: status as 'active',
        medicationCodeableConcept: medicationOf(line, order.medicationCodeableConcept),
        authoredOn: order.authoredOn,
        // US Core 3.1.1 allows a Practitioner or an Organization here, not a PractitionerRole.
        requester: { reference: links.practitioner ?? links.requester },
        ...reasonsOf(order),
        ...(order.dosageInstruction
          ? { dosageInstruction: order.dosageInstruction.map(({ timing, ...dosage }) => ({ ...dosage, ...(timing ? { timing: writeTiming(timing) } : {}) })) }
          : {}),
        ...(dispensed ? { dispenseRequest: { quantity: dispensed } } : {}),
      });
    }
    case 'NutritionOrder': {
      const { intent: _intent, subject, ...rest } = shared;
      return written({
        resourceType: 'NutritionOrder',
        meta: { profile: [PAS_PROFILES.nutritionOrder] },
        ...rest,
        intent: 'order',
        status: status as 'active',
        patient: subject,
        dateTime: order.dateTime,
        orderer: { reference: links.requester },
        ...(order.oralDiet ? { oralDiet: order.oralDiet } : {}),
        ...(order.enteralFormula ? { enteralFormula: order.enteralFormula } : {}),
      });
    }
    case 'VisionPrescription':
      return problem('ORDER_TYPE_NOT_SUPPORTED', 'PAS has no place for a vision prescription.', 'Ask for this authorization on the payer’s portal.');
  }
}

/** coverage-information of the coverage that is sent; one that speaks of another coverage is not this payer's business. */
function extensionOf(order: Order, contents: BundleContents): { extension?: Extension[] } {
  const extensions = extensionsByUrl(order, CRD_URLS.coverageInformation).filter((extension) => {
    const [information] = readCoverageInformation({ extension: [extension] });
    return information?.assertionId !== undefined && contents.urnOf(information.coverage) !== undefined;
  });
  return extensions.length > 0 ? { extension: extensions } : {};
}

function codeOf(line: ServiceLine, asOrdered: CodeableConcept | undefined): CodeableConcept {
  return { coding: [line.code], ...(asOrdered?.text ? { text: asOrdered.text } : {}) };
}

/** The drug keeps its RxNorm coding beside the code that is billed. */
function medicationOf(line: ServiceLine, asOrdered: CodeableConcept | undefined): CodeableConcept {
  const drug = asOrdered?.coding?.filter(({ system, code }) => system === CODE_SYSTEMS.rxnorm && code) ?? [];
  return { coding: [...drug, line.code], ...(asOrdered?.text ? { text: asOrdered.text } : {}) };
}

/** Reasons that are not in the bundle lose their reference when the entry is added. */
function reasonsOf(order: { readonly reasonCode?: CodeableConcept[]; readonly reasonReference?: readonly { readonly reference?: string }[] }) {
  return {
    ...(order.reasonCode ? { reasonCode: order.reasonCode } : {}),
    ...(order.reasonReference ? { reasonReference: order.reasonReference.map(({ reference }) => (reference === undefined ? {} : { reference })) } : {}),
  };
}

function timingOf(timing: Timing | undefined): { occurrenceTiming?: Timing } {
  return timing ? { occurrenceTiming: writeTiming(timing) } : {};
}

const TIMING_EXTENSIONS: readonly string[] = [
  'http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-timingcalendarpattern',
  'http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-timingdeliverypattern',
];

/** PASTiming: bounds only as a Duration (a Period is sent as Claim.item.serviced). */
function writeTiming({ repeat, code, extension }: Timing): Timing {
  const { boundsPeriod: _period, boundsRange: _range, ...kept } = repeat ?? {};
  const patterns = extension?.filter(({ url }) => TIMING_EXTENSIONS.includes(url)) ?? [];
  return { ...(patterns.length > 0 ? { extension: patterns } : {}), repeat: kept, ...(code ? { code } : {}) };
}
