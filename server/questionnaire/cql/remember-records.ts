import type cqlFhir from 'cql-exec-fhir';

type Wrapped = ReturnType<InstanceType<typeof cqlFhir.FHIRWrapper>['wrap']>;
type Patient = NonNullable<ReturnType<InstanceType<typeof cqlFhir.PatientSource>['currentPatient']>>;

/**
 * The FHIR data provider wraps every entry again at each retrieve, and every element at each look. Records do not change while CQL runs, so what
 * was wrapped once is given again: a third of the time and less.
 */
export function rememberElements(anyWrapped: Wrapped): void {
  const shared = Object.getPrototypeOf(anyWrapped) as { get: (this: Wrapped, field: string) => unknown };
  const { get } = shared;
  const known = new WeakMap<object, Map<string, unknown>>();
  shared.get = function remembered(this: Wrapped, field: string): unknown {
    const fields = known.get(this) ?? new Map<string, unknown>();
    known.set(this, fields);
    if (!fields.has(field)) fields.set(field, get.call(this, field));
    const value = fields.get(field);
    // The engine may sort or extend a list that it was given.
    return Array.isArray(value) ? [...(value as unknown[])] : value;
  };
}

export function rememberRecords(patient: Patient): Patient {
  const find = patient.findRecords.bind(patient);
  const known = new Map<string, ReturnType<typeof find>>();
  patient.findRecords = (profile, details) => {
    const key = JSON.stringify([profile, details?.datatype, details?.templateId]);
    const records = known.get(key) ?? find(profile, details);
    known.set(key, records);
    return [...records];
  };
  return patient;
}
