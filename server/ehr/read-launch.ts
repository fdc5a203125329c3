import type { Coverage, Organization, Patient, Reference, Resource, Task } from '@medplum/fhirtypes';
import { relativeReference } from '#fhir/base/reference.ts';
import { readQrContext } from '#fhir/dtr/qr-context.ts';
import { calendarDay } from '#prior-auth/coverage-requirement/calendar-day.ts';
import type { PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import { readRequirement } from '#prior-auth/coverage-requirement/read-requirement.ts';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { isOrder, readRequestedService } from '#prior-auth/order/read-requested-service.ts';
import { ORDER_TYPES, type Order } from '#prior-auth/order/requested-service.ts';
import type { CasePatient, CaseState } from '#prior-auth/case.ts';
import type { CaseOpening } from '../store/cases.ts';
import type { LaunchContext } from '../smart/token-response.ts';
import type { EhrClient } from './ehr-client.ts';

/** What a launch is about, read from the EHR (DTR 2.0.1, launch context). Throws ORDER_NOT_FOUND, ORDER_UNREADABLE, COVERAGE_NOT_FOUND, PAYER_NOT_CONFIGURED. */
export async function readLaunch(ehr: EhrClient, ehrBase: string, context: LaunchContext, { payers, now }: { readonly payers: PayerDirectory; readonly now: () => number }): Promise<CaseOpening> {
  if (!context.patient) {
    throw new PriorAuthError('LAUNCH_REFUSED', 'The EHR named no patient.', { nextStep: 'Open the panel from a patient’s chart.' });
  }
  const order = await readOrder(ehr, context);
  const requirement = requirementFor(order, context);
  const [patient, coverage] = await Promise.all([ehr.read('Patient', context.patient), readCoverage(ehr, requirement)]);
  if (!patient) throw new PriorAuthError('EHR_REFUSED', 'The EHR does not show the patient of the launch.', { nextStep: 'Ask whoever looks after the EHR whether this app may read patients.' });
  mustBelong(subjectOf(order), context.patient, 'The order');
  mustBelong(coverage.beneficiary, context.patient, 'The coverage');
  const payer = payers.find(await readPayor(ehr, coverage));
  if (!payer) {
    throw new PriorAuthError('PAYER_NOT_CONFIGURED', 'This server does not know the payer of the patient’s coverage.', {
      nextStep: 'Send this request the way you did before, and ask whoever runs this server to add the payer.',
    });
  }
  if (requirement.expiryDate !== undefined && requirement.expiryDate < calendarDay(now(), payer.timeZone)) {
    throw new PriorAuthError('ORDER_UNREADABLE', `What the payer answered on this order held until ${requirement.expiryDate}.`, { nextStep: 'Sign the order again, so that the payer is asked anew.' });
  }
  const product = await ehr.follow(productOf(order)?.reference);
  const requester = relativeReference(requesterOf(order)?.reference ?? '');
  return {
    ehrBase,
    patient: readPatient(patient),
    ...(requester ? { requester } : {}),
    service: readRequestedService(order, () => product),
    payer: { id: payer.id, name: payer.name },
    requirement,
    state: firstState(requirement),
  };
}

/** Where a case begins. A form that the payer names is unread at first, so each counts as one thing missing. */
function firstState({ paNeeded, questionnaires, docNeeded }: CoverageRequirement): CaseState {
  if (paNeeded === 'no-auth' || paNeeded === 'satisfied') return { kind: 'no-authorization-needed' };
  return questionnaires.length > 0 || docNeeded !== undefined ? { kind: 'questionnaire', missing: Math.max(1, questionnaires.length) } : { kind: 'ready' };
}

async function readOrder(ehr: EhrClient, context: LaunchContext): Promise<Order> {
  const task = await ehr.follow(context.references.find((reference) => reference.startsWith('Task/')));
  const ofTask = task?.resourceType === 'Task' ? referencesOf(task) : [];
  const response = await ehr.follow([...context.references, ...ofTask].find((reference) => reference.startsWith('QuestionnaireResponse/')));
  const named = [...context.references, ...ofTask, ...(response?.resourceType === 'QuestionnaireResponse' ? readQrContext(response) : [])];
  const reference = named.find((each) => ORDER_TYPES.some((type) => each.startsWith(`${type}/`)));
  if (!reference) throw new PriorAuthError('ORDER_NOT_FOUND', 'The EHR did not say which order this is about.', { nextStep: 'Open the panel from the order itself, or from the card shown when it is signed.' });
  const order = await ehr.follow(reference);
  if (!isOrder(order)) throw new PriorAuthError('ORDER_NOT_FOUND', 'The order of this launch is not in the EHR.', { nextStep: 'Look whether the order was cancelled, then open the panel from the order itself.' });
  return order;
}

/** A Task for a form names the order, the response or both. */
function referencesOf({ basedOn, focus, input }: Task): readonly string[] {
  return [...(basedOn ?? []), focus, ...(input ?? []).map(({ valueReference }) => valueReference)].flatMap((each) => relativeReference(each?.reference ?? '') ?? []);
}

function requirementFor(order: Order, context: LaunchContext): CoverageRequirement {
  const requirements = readRequirement(order);
  const requirement = requirements.find(({ coverage }) => context.references.includes(relativeReference(coverage) ?? '')) ?? requirements[0];
  if (!requirement) {
    throw new PriorAuthError('ORDER_UNREADABLE', 'This order carries no answer of the payer yet.', { nextStep: 'Sign the order, so that the payer is asked, and open the panel again.' });
  }
  return requirement;
}

async function readCoverage(ehr: EhrClient, requirement: CoverageRequirement): Promise<Coverage> {
  const coverage = await ehr.follow(requirement.coverage);
  if (coverage?.resourceType !== 'Coverage') {
    throw new PriorAuthError('COVERAGE_NOT_FOUND', 'The coverage that the payer answered for is not in the EHR.', { nextStep: 'Check the patient’s insurance, then sign the order again.' });
  }
  return coverage;
}

export async function readPayor(ehr: EhrClient, coverage: Coverage): Promise<Organization | undefined> {
  for (const payor of coverage.payor ?? []) {
    const literal = payor.reference ?? '';
    const found: Resource | undefined = literal.startsWith('#') ? coverage.contained?.find(({ id }) => id === literal.slice(1)) : await ehr.follow(literal);
    if (found?.resourceType === 'Organization') return found;
  }
  const display = coverage.payor?.find((payor) => payor.display)?.display;
  return display ? { resourceType: 'Organization', name: display } : undefined;
}

export function requesterOf(order: Order): Reference | undefined {
  switch (order.resourceType) {
    case 'VisionPrescription':
      return order.prescriber;
    case 'NutritionOrder':
      return order.orderer;
    default:
      return order.requester;
  }
}

function subjectOf(order: Order): Reference | undefined {
  return 'subject' in order ? order.subject : 'patient' in order ? order.patient : undefined;
}

function productOf(order: Order): Reference | undefined {
  if (order.resourceType === 'DeviceRequest') return order.codeReference;
  return order.resourceType === 'MedicationRequest' ? order.medicationReference : undefined;
}

function mustBelong(reference: Reference | undefined, patientId: string, what: string): void {
  if (relativeReference(reference?.reference ?? '') === `Patient/${patientId}`) return;
  throw new PriorAuthError('ORDER_UNREADABLE', `${what} does not belong to the patient of the chart.`, { nextStep: 'Close the panel and open it from the right patient’s chart.' });
}

function readPatient(patient: Patient): CasePatient {
  const name = patient.name?.find(({ use }) => use === 'official') ?? patient.name?.[0];
  const written = name?.text ?? [...(name?.given ?? []), name?.family].filter(Boolean).join(' ');
  const mrn = patient.identifier?.find(({ type }) => type?.coding?.some(({ code }) => code === 'MR'))?.value;
  return {
    id: patient.id ?? '',
    name: written || 'Name not on record',
    ...(patient.birthDate ? { birthDate: patient.birthDate } : {}),
    ...(patient.gender ? { gender: patient.gender } : {}),
    ...(mrn ? { medicalRecordNumber: mrn } : {}),
  };
}
