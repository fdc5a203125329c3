/** R4 search parameters that narrow by code: resource type -> element that the codes are of -> parameter. A type that is not here is read whole. */
export const CODE_PARAMETERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  AllergyIntolerance: { code: 'code' },
  CarePlan: { category: 'category' },
  Condition: { code: 'code', category: 'category' },
  DeviceRequest: { code: 'code' },
  DiagnosticReport: { code: 'code', category: 'category' },
  DocumentReference: { type: 'type', category: 'category' },
  Encounter: { type: 'type', class: 'class' },
  Immunization: { vaccineCode: 'vaccine-code' },
  MedicationAdministration: { medication: 'code' },
  MedicationDispense: { medication: 'code' },
  MedicationRequest: { medication: 'code' },
  MedicationStatement: { medication: 'code' },
  Observation: { code: 'code', category: 'category' },
  Procedure: { code: 'code', category: 'category' },
  ServiceRequest: { code: 'code', category: 'category' },
};

/** R4 search parameters of the date that a clinical requirement means. A search by one of them leaves out entries without that date. */
export const DATE_PARAMETERS: Readonly<Record<string, string>> = {
  Appointment: 'date', DiagnosticReport: 'date', DocumentReference: 'date', Encounter: 'date', Immunization: 'date', MedicationAdministration: 'effective-time',
  MedicationRequest: 'authoredon', MedicationStatement: 'effective', Observation: 'date', Procedure: 'date', QuestionnaireResponse: 'authored', ServiceRequest: 'authored',
};
