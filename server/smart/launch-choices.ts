import type { Patient, QuestionnaireResponse, Resource } from '@medplum/fhirtypes';
import { readQrContext } from '#fhir/dtr/qr-context.ts';
import { relativeReference } from '#fhir/base/reference.ts';
import { readRequirement } from '#prior-auth/coverage-requirement/read-requirement.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { isOrder, readRequestedService } from '#prior-auth/order/read-requested-service.ts';
import { ORDER_TYPES, type Order } from '#prior-auth/order/requested-service.ts';
import type { LaunchChoice, LaunchChoices } from '#prior-auth/panel-launch-api.ts';
import type { EhrClient } from '../ehr/ehr-client.ts';
import { expired, type Session } from './sessions.ts';

/** What a launch without an order can be about (DTR 2.0.1, launch context, step 1): forms in progress, then requests that are not over. Each choice is of the launched patient. */
export async function readLaunchChoices(ehr: EhrClient, session: Session): Promise<LaunchChoices> {
  const { patientId } = session;
  if (patientId === null) throw expired();
  const unread: string[] = [];
  const search = async (type: 'QuestionnaireResponse' | (typeof ORDER_TYPES)[number], more: Readonly<Record<string, string>>): Promise<readonly Resource[]> => {
    try {
      return await ehr.search(type, { patient: patientId, _count: '100', ...more });
    } catch (error) {
      if (!(error instanceof PriorAuthError) || error.code !== 'EHR_REFUSED') throw error;
      unread.push(type);
      return [];
    }
  };
  const [patient, responses, ...found] = await Promise.all([
    ehr.read('Patient', patientId),
    search('QuestionnaireResponse', { status: 'in-progress' }),
    ...ORDER_TYPES.map((type) => search(type, { status: 'active,draft,on-hold' })),
  ]);
  const ofPatient = (reference: string | undefined) => relativeReference(reference ?? '') === `Patient/${patientId}`;
  const orders = found.flat().filter(isOrder).filter((order) => isOpen(order) && ofPatient('subject' in order ? order.subject?.reference : 'patient' in order ? order.patient?.reference : undefined));
  const inEncounter = (order: Order): boolean => session.launch.encounter !== undefined && relativeReference(order.encounter?.reference ?? '') === `Encounter/${session.launch.encounter}`;
  const forms = responses.flatMap((response) => (response.resourceType === 'QuestionnaireResponse' && response.status === 'in-progress' && ofPatient(response.subject?.reference) ? formChoice(response, orders) : []));
  const choices = [...forms, ...orders.map((order) => orderChoice(order, inEncounter(order)))];
  const rank = ({ kind, inEncounter: here, state }: LaunchChoice): number => (kind === 'form' ? 0 : here ? 1 : 2) + (state === 'not-asked' ? 10 : state === 'nothing-needed' ? 5 : 0);
  return {
    patient: { name: nameOf(patient), birthDate: patient?.birthDate ?? null },
    choices: choices.toSorted((a, b) => rank(a) - rank(b) || (b.date ?? '').localeCompare(a.date ?? '')),
    unread,
  };
}

function formChoice(response: QuestionnaireResponse, orders: readonly Order[]): readonly LaunchChoice[] {
  const order = orders.find((each) => readQrContext(response).includes(`${each.resourceType}/${each.id}`));
  // A form of no order that is known here cannot be sent to anybody.
  if (!response.id || !order) return [];
  return [{ reference: `QuestionnaireResponse/${response.id}`, kind: 'form', title: titleOf(order), date: response.authored?.slice(0, 10) ?? null, state: 'in-progress', inEncounter: false }];
}

function orderChoice(order: Order, inEncounter: boolean): LaunchChoice {
  const requirements = readRequirement(order);
  const needed = requirements.some(({ paNeeded }) => paNeeded !== 'no-auth' && paNeeded !== 'satisfied');
  const written = 'authoredOn' in order ? order.authoredOn : order.resourceType === 'VisionPrescription' ? order.dateWritten : order.resourceType === 'NutritionOrder' ? order.dateTime : undefined;
  return {
    reference: `${order.resourceType}/${order.id}`,
    kind: 'order',
    title: titleOf(order),
    date: written?.slice(0, 10) ?? null,
    state: requirements.length === 0 ? 'not-asked' : needed ? 'authorization-needed' : 'nothing-needed',
    inEncounter,
  };
}

function titleOf(order: Order): string {
  try {
    return readRequestedService(order, () => undefined).display;
  } catch (error) {
    if (error instanceof PriorAuthError) return order.resourceType;
    throw error;
  }
}

function isOpen({ status }: Order): boolean {
  return status === undefined || status === 'active' || status === 'draft' || status === 'on-hold';
}

function nameOf(patient: Patient | undefined): string {
  const name = patient?.name?.find(({ use }) => use === 'official') ?? patient?.name?.[0];
  return name?.text ?? ([...(name?.given ?? []), name?.family].filter(Boolean).join(' ') || 'Name not on record');
}
