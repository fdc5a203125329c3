/** SNOMED CT to ICD-10-CM, from wherever a clinic has it: a file, a terminology server's answer read beforehand. */
export interface DiagnosisMap {
  /** One code: the concept means exactly that. Several: a person must choose. None: the map does not know the concept. */
  candidates(snomedCode: string): readonly { readonly code: string; readonly display?: string }[];
}

export const NO_DIAGNOSIS_MAP: DiagnosisMap = { candidates: () => [] };
