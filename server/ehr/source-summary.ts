import type { Address, Annotation, CodeableConcept, HumanName, Period, Quantity, Reference, Resource } from '@medplum/fhirtypes';

export interface SummaryLine {
  readonly label: string;
  readonly value: string;
}

/** What a clinician wants to see of a record entry, in labelled lines; empty ones are left out. Every type has at least its kind and its date. */
export function summarize(resource: Resource): SummaryLine[] {
  return linesOf(resource).flatMap(([label, value]) => (value ? [{ label, value }] : []));
}

type Lines = readonly (readonly [label: string, value: string | undefined])[];

function linesOf(resource: Resource): Lines {
  switch (resource.resourceType) {
    case 'Observation':
      return [
        ['Observation', concept(resource.code)],
        ['Value', observationValue(resource)],
        ...(resource.component ?? []).map((part) => [concept(part.code) ?? 'Part', observationValue(part)] as const),
        ['Interpretation', concepts(resource.interpretation)],
        ['When', resource.effectiveDateTime ?? period(resource.effectivePeriod) ?? resource.issued],
        ['Status', resource.status],
        ['Note', notes(resource.note)],
      ];
    case 'Condition':
      return [
        ['Condition', concept(resource.code)],
        ['Code', codes(resource.code)],
        ['Clinical status', concept(resource.clinicalStatus)],
        ['Certainty', concept(resource.verificationStatus)],
        ['Since', resource.onsetDateTime ?? period(resource.onsetPeriod) ?? resource.onsetString],
        ['Recorded', resource.recordedDate],
        ['Note', notes(resource.note)],
      ];
    case 'Procedure':
      return [
        ['Procedure', concept(resource.code)],
        ['Code', codes(resource.code)],
        ['When', resource.performedDateTime ?? period(resource.performedPeriod) ?? resource.performedString],
        ['Outcome', concept(resource.outcome)],
        ['Status', resource.status],
        ['Note', notes(resource.note)],
      ];
    case 'DiagnosticReport':
      return [
        ['Report', concept(resource.code)],
        ['Conclusion', resource.conclusion],
        ['When', resource.effectiveDateTime ?? period(resource.effectivePeriod) ?? resource.issued],
        ['Status', resource.status],
      ];
    case 'DocumentReference':
      return [
        ['Document', resource.description ?? concept(resource.type)],
        ['Kind', concept(resource.type)],
        ['Date', resource.date],
        ['Author', references(resource.author)],
        ['Text', documentText(resource.content.map(({ attachment }) => attachment))],
        ['Status', resource.status],
      ];
    case 'MedicationRequest':
    case 'MedicationStatement':
      return [
        ['Medication', concept(resource.medicationCodeableConcept) ?? resource.medicationReference?.display],
        ['Dose', (resource.resourceType === 'MedicationRequest' ? resource.dosageInstruction : resource.dosage)?.flatMap(({ text }) => text ?? []).join('; ')],
        ['When', resource.resourceType === 'MedicationRequest' ? resource.authoredOn : (resource.effectiveDateTime ?? period(resource.effectivePeriod))],
        ['Status', resource.status],
      ];
    case 'ServiceRequest':
    case 'DeviceRequest':
      return [
        ['Order', resource.resourceType === 'ServiceRequest' ? concept(resource.code) : concept(resource.codeCodeableConcept)],
        ['Code', codes(resource.resourceType === 'ServiceRequest' ? resource.code : resource.codeCodeableConcept)],
        ['Reason', concepts(resource.reasonCode) ?? references(resource.reasonReference)],
        ['Ordered', resource.authoredOn],
        ['Priority', resource.priority],
        ['Status', resource.status],
        ['Note', notes(resource.note)],
      ];
    case 'Encounter':
      return [['Visit', concepts(resource.type)], ['When', period(resource.period)], ['Reason', concepts(resource.reasonCode)], ['Status', resource.status]];
    case 'Patient':
      return [['Name', name(resource.name)], ['Born', resource.birthDate], ['Sex', resource.gender], ['Address', address(resource.address)]];
    case 'Practitioner':
      return [['Name', name(resource.name)], ['NPI', npi(resource.identifier)], ['Qualification', concepts(resource.qualification?.map(({ code }) => code))]];
    case 'PractitionerRole':
      return [['Role', concepts(resource.code)], ['Specialty', concepts(resource.specialty)], ['Clinician', resource.practitioner?.display], ['Organization', resource.organization?.display]];
    case 'Organization':
      return [['Name', resource.name], ['NPI', npi(resource.identifier)], ['Address', address(resource.address)]];
    case 'Coverage':
      return [['Member id', resource.subscriberId], ['Payer', references(resource.payor)], ['Kind', concept(resource.type)], ['Valid', period(resource.period)], ['Status', resource.status]];
    case 'QuestionnaireResponse':
      return [['Form', resource.questionnaire], ['Answered', resource.authored], ['Author', resource.author?.display], ['Status', resource.status]];
    default:
      return [['Kind of entry', resource.resourceType], ['Description', 'code' in resource ? concept(resource.code as CodeableConcept) : undefined], ['Last changed', resource.meta?.lastUpdated]];
  }
}

function concept(value: CodeableConcept | undefined): string | undefined {
  return value?.text ?? value?.coding?.find(({ display }) => display)?.display ?? value?.coding?.[0]?.code;
}

function concepts(values: readonly CodeableConcept[] | undefined): string | undefined {
  return joined(values?.map(concept));
}

function codes(value: CodeableConcept | undefined): string | undefined {
  return joined(value?.coding?.map(({ code }) => code));
}

type Measured = { readonly [K in 'valueString' | 'valueDateTime']?: string } & {
  readonly valueQuantity?: Quantity; readonly valueCodeableConcept?: CodeableConcept; readonly valueBoolean?: boolean; readonly valueInteger?: number; readonly dataAbsentReason?: CodeableConcept;
};

function observationValue(measured: Measured): string | undefined {
  const { valueQuantity, valueCodeableConcept, valueBoolean, valueInteger, valueString, valueDateTime, dataAbsentReason } = measured;
  if (valueQuantity) return [valueQuantity.comparator, valueQuantity.value, valueQuantity.unit ?? valueQuantity.code].filter((part) => part !== undefined).join(' ');
  if (valueBoolean !== undefined) return valueBoolean ? 'yes' : 'no';
  return concept(valueCodeableConcept) ?? valueString ?? valueDateTime ?? valueInteger?.toString() ?? (dataAbsentReason ? `not known (${concept(dataAbsentReason)})` : undefined);
}

function period(value: Period | undefined): string | undefined {
  if (!value?.start && !value?.end) return undefined;
  return [value.start ?? '…', value.end ?? '…'].join(' to ');
}

function notes(values: readonly Annotation[] | undefined): string | undefined {
  return joined(values?.map(({ text }) => text));
}

function references(values: readonly Reference[] | undefined): string | undefined {
  return joined(values?.map((value) => value.display ?? value.reference));
}

function name(values: readonly HumanName[] | undefined): string | undefined {
  const [first] = values ?? [];
  return first?.text ?? joined([...(first?.prefix ?? []), ...(first?.given ?? []), first?.family], ' ');
}

function address(values: readonly Address[] | undefined): string | undefined {
  const [first] = values ?? [];
  return first?.text ?? joined([...(first?.line ?? []), first?.city, first?.state, first?.postalCode]);
}

function npi(values: readonly { readonly system?: string; readonly value?: string }[] | undefined): string | undefined {
  return values?.find(({ system }) => system === 'http://hl7.org/fhir/sid/us-npi')?.value;
}

const MAX_TEXT = 20_000;

function documentText(attachments: readonly { readonly contentType?: string; readonly data?: string; readonly title?: string }[]): string | undefined {
  const text = attachments.find(({ contentType, data }) => data && contentType?.startsWith('text/plain'));
  if (text?.data) return Buffer.from(text.data, 'base64').toString('utf8').slice(0, MAX_TEXT);
  return joined(attachments.map(({ title, contentType }) => title ?? contentType));
}

function joined(parts: readonly (string | undefined)[] | undefined, separator = ', '): string | undefined {
  return parts?.filter(Boolean).join(separator) || undefined;
}
