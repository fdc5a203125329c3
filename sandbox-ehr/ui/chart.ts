import type { CodeableConcept, Coverage, Observation, ObservationComponent, Organization, Patient, Quantity, Resource } from '@medplum/fhirtypes';
import type { FhirRepository } from '../fhir/repository.ts';
import { search } from '../fhir/search.ts';
import { parseSearch } from '../fhir/search-query.ts';
import type { StoredResource } from '../fhir/structure.ts';
import { coverageAnswers } from './coverage-answer.ts';
import { nameText, SCREEN_ACCESS } from './people.ts';
import { ORDER_TYPES, type Order } from './order.ts';
import { UiRefusal } from './refusal.ts';

interface ChartItem {
  readonly reference: string;
  readonly display: string;
  readonly date: string | undefined;
  readonly detail: string | undefined;
}

interface OrderItem extends ChartItem {
  readonly status: string;
  readonly code: { readonly system: string | undefined; readonly code: string | undefined } | undefined;
  readonly cards?: unknown;
}

export interface PatientSummary {
  readonly id: string;
  readonly name: string;
  readonly birthDate: string | undefined;
  readonly gender: string | undefined;
  readonly mrn: string | undefined;
  readonly coverage: string | undefined;
}

export async function summarize(repository: FhirRepository, patients: readonly (Patient & { id: string })[]): Promise<PatientSummary[]> {
  if (patients.length === 0) return [];
  const beneficiaries = patients.map((patient) => `Patient/${patient.id}`);
  const found = await search(repository, parseSearch('Coverage', [['beneficiary', beneficiaries.join(',')], ['status', 'active'], ['_include', 'Coverage:payor'], ['_count', '1000']], false), SCREEN_ACCESS);
  return patients.map((patient) => {
    const coverage = found.matches.find((one) => one.resourceType === 'Coverage' && one.beneficiary.reference === `Patient/${patient.id}`);
    return {
      id: patient.id,
      name: nameText(patient.name),
      birthDate: patient.birthDate,
      gender: patient.gender,
      mrn: (patient.identifier?.find((one) => one.type?.coding?.some((coding) => coding.code === 'MR')) ?? patient.identifier?.[0])?.value,
      coverage: coverage?.resourceType === 'Coverage' ? payerName(coverage, found.included) : undefined,
    };
  });
}

function payerName(coverage: Coverage, others: readonly StoredResource[]): string | undefined {
  const payor = coverage.payor?.[0];
  const organization = others.find((one): one is Organization & { id: string } => one.resourceType === 'Organization' && `Organization/${one.id}` === payor?.reference);
  return organization?.name ?? payor?.display;
}

/** Everything the chart screen shows of one patient. */
export async function readChart(repository: FhirRepository, patientId: string): Promise<Readonly<Record<string, unknown>>> {
  const patient = await repository.find('Patient', patientId, SCREEN_ACCESS);
  if (patient?.resourceType !== 'Patient') throw new UiRefusal(404, 'PATIENT_NOT_FOUND', 'There is no such patient.');
  const list = async (type: string, sort: string, ...more: [string, string][]): Promise<readonly StoredResource[]> => {
    const query = parseSearch(type, [[type === 'Coverage' ? 'beneficiary' : 'patient', `Patient/${patientId}`], ['_sort', sort], ['_count', '200'], ...more], false);
    const { matches, included } = await search(repository, query, SCREEN_ACCESS);
    return [...matches, ...included];
  };
  const coverages = await list('Coverage', '_id', ['_include', 'Coverage:payor']);
  const items = async (type: string, sort: string): Promise<ChartItem[]> => (await list(type, sort)).map(chartItem);
  const orders: Order[] = [];
  for (const type of ORDER_TYPES) orders.push(...(await list(type, '-_lastUpdated')).filter((one): one is Order => one.resourceType === type));
  const hooks = await repository.db.selectFrom('ehr.order_hook').selectAll().where('order_reference', 'in', ['', ...orders.map((order) => `${order.resourceType}/${order.id}`)]).execute();
  const [summary] = await summarize(repository, [patient]);
  return {
    patient: summary,
    coverages: coverages.flatMap((one) => (one.resourceType === 'Coverage' ? [{ ...chartItem(one), display: payerName(one, coverages) ?? 'Coverage' }] : [])),
    conditions: await items('Condition', '-onset-date'),
    observations: await items('Observation', '-date'),
    procedures: await items('Procedure', '-date'),
    medications: [...(await items('MedicationRequest', '-authoredon')), ...(await items('MedicationStatement', '-effective'))],
    documents: [...(await items('DocumentReference', '-date')), ...(await items('DiagnosticReport', '-date'))],
    orders: orders.map((order): OrderItem => {
      const hook = hooks.find((one) => one.order_reference === `${order.resourceType}/${order.id}`);
      const coding = orderConcept(order)?.coding?.[0];
      return {
        ...chartItem(order),
        status: order.status ?? 'unknown',
        code: coding && { system: coding.system, code: coding.code },
        ...(hook ? JSON.parse(hook.outcome) : {}),
        ...(hook ? { coverageInformation: coverageAnswers(order) } : {}),
      };
    }),
  };
}

export function orderConcept(order: Order): CodeableConcept | undefined {
  if (order.resourceType === 'DeviceRequest') return order.codeCodeableConcept;
  return order.resourceType === 'ServiceRequest' ? order.code : order.medicationCodeableConcept;
}

const conceptText = (concept: CodeableConcept | undefined): string | undefined =>
  concept?.text ?? concept?.coding?.find((coding) => coding.display)?.display ?? concept?.coding?.find((coding) => coding.code)?.code;
const codeText = (concept: CodeableConcept | undefined): string | undefined => concept?.coding?.find((coding) => coding.code)?.code;
const quantityText = (quantity: Quantity | undefined): string | undefined => (quantity?.value === undefined ? undefined : `${quantity.comparator ?? ''}${quantity.value} ${quantity.unit ?? quantity.code ?? ''}`.trim());

/** Of an Observation, or of one part of it. */
const valueText = ({ valueQuantity, valueCodeableConcept, valueString, valueInteger, valueBoolean }: Observation | ObservationComponent): string | undefined =>
  quantityText(valueQuantity) ?? conceptText(valueCodeableConcept) ?? valueString ?? valueInteger?.toString() ?? valueBoolean?.toString();

function chartItem(resource: StoredResource): ChartItem {
  return { reference: `${resource.resourceType}/${resource.id}`, ...describe(resource) };
}

function describe(resource: Resource): Omit<ChartItem, 'reference'> {
  const item = (display: string | undefined, date: string | undefined, detail: string | undefined) => ({ display: display ?? resource.resourceType, date, detail });
  switch (resource.resourceType) {
    case 'Condition':
      return item(conceptText(resource.code), resource.onsetDateTime ?? resource.onsetPeriod?.start ?? resource.recordedDate, [codeText(resource.code), codeText(resource.clinicalStatus)].filter(Boolean).join(', '));
    case 'Observation':
      return item(
        conceptText(resource.code),
        resource.effectiveDateTime ?? resource.effectivePeriod?.start ?? resource.issued,
        valueText(resource) ?? (resource.component?.map((part) => `${conceptText(part.code) ?? ''} ${valueText(part) ?? ''}`.trim()).join(', ') || undefined),
      );
    case 'Procedure':
      return item(conceptText(resource.code), resource.performedDateTime ?? resource.performedPeriod?.start, resource.status);
    case 'MedicationRequest':
      return item(conceptText(resource.medicationCodeableConcept) ?? resource.medicationReference?.display, resource.authoredOn, resource.dosageInstruction?.[0]?.text ?? resource.status);
    case 'MedicationStatement':
      return item(conceptText(resource.medicationCodeableConcept) ?? resource.medicationReference?.display, resource.effectiveDateTime ?? resource.effectivePeriod?.start, resource.status);
    case 'DocumentReference': {
      const attachment = resource.content?.[0]?.attachment;
      return item(resource.description ?? attachment?.title ?? conceptText(resource.type), resource.date, attachment?.data && attachment.contentType?.startsWith('text/plain') ? Buffer.from(attachment.data, 'base64').toString('utf8') : undefined);
    }
    case 'DiagnosticReport':
      return item(conceptText(resource.code), resource.effectiveDateTime ?? resource.issued, resource.conclusion);
    case 'Coverage':
      return item(undefined, resource.period?.start, [resource.status, resource.subscriberId ?? resource.identifier?.[0]?.value].filter(Boolean).join(', '));
    case 'DeviceRequest':
      return item(conceptText(resource.codeCodeableConcept), resource.authoredOn, quantityText(resource.parameter?.[0]?.valueQuantity));
    case 'ServiceRequest':
      return item(conceptText(resource.code), resource.authoredOn, quantityText(resource.quantityQuantity));
    default:
      return item(undefined, undefined, undefined);
  }
}
