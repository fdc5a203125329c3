import type { CodeableConcept, Extension, NutritionOrder, ServiceRequest, Timing } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { extensionByUrl, extensionsByUrl } from '#fhir/base/extension.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import type { Order } from '../order/requested-service.ts';
import { canonicalCoding } from '../order/canonical-coding.ts';
import type { BundleContents } from './bundle-contents.ts';
import { problem, written, type Written } from './members.ts';
import type { PasDialect } from './pas-dialect.ts';
import type { ServiceLine } from './service-line.ts';
import { writeTiming } from './timing.ts';

export interface OrderCopyLinks {
  readonly patient: string;
  /** PractitionerRole, or the Organization when no clinician is known. */
  readonly requester: string;
  readonly practitioner?: string | undefined;
  readonly isClinician: boolean;
  readonly contents: BundleContents;
  readonly dialect: PasDialect;
}

const ENDED: readonly string[] = ['cancelled', 'stopped', 'revoked', 'entered-in-error'];

/**
 * The order as the PAS order profiles want it: `intent` is `order` whatever the record calls it (original-order, filler-order, plan), codes are
 * billing codes, occurrence is a Timing or goes to Claim.item.serviced. Of the extensions only coverage-information travels.
 */
export function writeOrder(order: Order, line: ServiceLine, links: OrderCopyLinks): Written<Order> {
  const { dialect } = links;
  if (ENDED.includes(order.status ?? '')) return problem('ORDER_NOT_ACTIVE', `The order is ${order.status} in the record.`, 'Sign a new order, or take this one out of the request.');
  const shared = {
    ...extensionOf(order, links),
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
        ...(line.quantity ? { quantityQuantity: dialect.quantity(line.quantity) } : {}),
        ...timingOf(order.occurrenceTiming, dialect),
        ...(order.authoredOn ? { authoredOn: order.authoredOn } : {}),
        requester: { reference: links.requester },
        performer: performersOf(order),
        locationReference: (order.locationReference ?? []).flatMap(({ reference }) => (reference === undefined ? [] : [{ reference }])),
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
        ...timingOf(order.occurrenceTiming, dialect),
        ...(order.authoredOn ? { authoredOn: order.authoredOn } : {}),
        requester: { reference: links.requester },
        ...(order.performer?.reference ? { performer: { reference: order.performer.reference } } : {}),
        ...reasonsOf(order),
      });
    case 'MedicationRequest': {
      if (!order.authoredOn) return problem('ORDER_DATE_MISSING', 'The medication order has no date.', 'Complete the date of the order in the EHR.');
      const dispensed = order.dispenseRequest?.quantity;
      return written({
        resourceType: 'MedicationRequest',
        meta: { profile: [PAS_PROFILES.medicationRequest] },
        ...shared,
        status: dialect.medicationStatus ?? (status as 'active'),
        medicationCodeableConcept: medicationOf(line, order.medicationCodeableConcept),
        authoredOn: order.authoredOn,
        // US Core 3.1.1 allows a Practitioner or an Organization here, not a PractitionerRole.
        requester: { reference: links.practitioner ?? links.requester },
        ...reasonsOf(order),
        ...(order.dosageInstruction
          ? { dosageInstruction: order.dosageInstruction.map(({ timing, ...dosage }) => ({ ...dosage, ...(timing ? { timing: writeTiming(timing, dialect.timingSaysHowOften) } : {}) })) }
          : {}),
        ...(dispensed ? { dispenseRequest: { quantity: dispensed } } : {}),
      });
    }
    case 'NutritionOrder': {
      if (!order.dateTime) return problem('ORDER_DATE_MISSING', 'The nutrition order has no date.', 'Complete the date of the order in the EHR.');
      const { intent: _intent, subject, ...rest } = shared;
      return written({
        resourceType: 'NutritionOrder',
        meta: { profile: [PAS_PROFILES.nutritionOrder] },
        ...rest,
        intent: 'order',
        status: status as 'active',
        patient: subject,
        dateTime: order.dateTime,
        // No Organization here.
        ...(links.isClinician ? { orderer: { reference: links.requester } } : {}),
        ...nutritionOf(order, dialect),
      });
    }
    case 'VisionPrescription':
      return problem('ORDER_TYPE_NOT_SUPPORTED', 'PAS has no place for a vision prescription.', 'Ask for this authorization on the payer’s portal.');
  }
}

/** CRD 2.2: every detail has a category; what a CRD 2.0.1 service wrote has none. */
function withDetailCategories(information: Extension): Extension {
  const extension = (information.extension ?? []).map((part) =>
    part.url === 'detail' && !extensionByUrl(part, 'category') ? { ...part, extension: [{ url: 'category', valueCode: 'cat-other' }, ...(part.extension ?? [])] } : part,
  );
  return { ...information, extension };
}

/** coverage-information of the coverage that is sent; one that speaks of another coverage is not this payer's business. */
function extensionOf(order: Order, { contents, dialect }: OrderCopyLinks): { extension?: Extension[] } {
  const extensions = extensionsByUrl(order, CRD_URLS.coverageInformation).filter((extension) => {
    const [information] = readCoverageInformation({ extension: [extension] });
    return information?.assertionId !== undefined && contents.urnOf(information.coverage) !== undefined;
  });
  return extensions.length > 0 ? { extension: dialect.version === '2.2.1' ? extensions.map(withDetailCategories) : extensions } : {};
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

function timingOf(timing: Timing | undefined, { timingSaysHowOften }: PasDialect): { occurrenceTiming?: Timing } {
  const written = timing && writeTiming(timing, timingSaysHowOften);
  return written ? { occurrenceTiming: written } : {};
}

/** Who is to do it, as far as they are in the bundle. */
function performersOf({ performer = [] }: ServiceRequest) {
  return performer.flatMap(({ reference }) => (reference === undefined ? [] : [{ reference }]));
}

/** Codings of the required binding alone: HCPCS. */
function hcpcsOnly(concept: CodeableConcept): CodeableConcept | undefined {
  const coding = concept.coding?.flatMap((each) => {
    const canonical = canonicalCoding(each);
    return canonical?.system === CODE_SYSTEMS.hcpcs ? [{ ...canonical, ...(each.display ? { display: each.display } : {}) }] : [];
  });
  return coding && coding.length > 0 ? { coding } : undefined;
}

/** What is fed, in HCPCS, and its schedule. */
function nutritionOf({ oralDiet, enteralFormula }: NutritionOrder, { timingSaysHowOften }: PasDialect): Pick<NutritionOrder, 'oralDiet' | 'enteralFormula'> {
  const schedule = (oralDiet?.schedule ?? []).flatMap((timing) => writeTiming(timing, timingSaysHowOften) ?? []);
  const base = enteralFormula?.baseFormulaType && hcpcsOnly(enteralFormula.baseFormulaType);
  return {
    ...(oralDiet ? { oralDiet: { ...oralDiet, type: (oralDiet.type ?? []).flatMap((type) => hcpcsOnly(type) ?? []), schedule } } : {}),
    ...(enteralFormula
      ? {
          enteralFormula: {
            ...enteralFormula,
            ...(base ? { baseFormulaType: base } : { baseFormulaType: {} }),
            administration: (enteralFormula.administration ?? []).map(({ schedule: fed, ...rest }) => ({ ...rest, ...(fed ? { schedule: writeTiming(fed, timingSaysHowOften) ?? {} } : {}) })),
          },
        }
      : {}),
  };
}
