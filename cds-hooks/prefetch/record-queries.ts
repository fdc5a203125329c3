import type { EvidenceType } from '#prior-auth/coverage-requirement/policy.ts';

/** Prefetch of what every hook needs. The payer comes with the coverage, so that it need not be read by itself. */
export const ALWAYS = {
  patient: 'Patient/{{context.patientId}}',
  coverage: 'Coverage?patient={{context.patientId}}&status=active&_include=Coverage:payor',
} as const;

/** Prefetch of the chart, for the evidence that policies name. No key is one of CRD's conventional keys. */
export const EVIDENCE: { readonly [T in EvidenceType]: { readonly key: string; readonly query: string } } = {
  Condition: { key: 'conditions', query: 'Condition?patient={{context.patientId}}&_count=200' },
  Observation: { key: 'observations', query: 'Observation?patient={{context.patientId}}&_sort=-date&_count=200' },
  Procedure: { key: 'procedures', query: 'Procedure?patient={{context.patientId}}&_count=200' },
  DiagnosticReport: { key: 'reports', query: 'DiagnosticReport?patient={{context.patientId}}&_count=200' },
  DocumentReference: { key: 'documents', query: 'DocumentReference?patient={{context.patientId}}&_count=200' },
  MedicationRequest: { key: 'medicationHistory', query: 'MedicationRequest?patient={{context.patientId}}&_count=200' },
};

export function queryFor(template: string, patientId: string): string {
  return template.replaceAll('{{context.patientId}}', encodeURIComponent(patientId));
}
