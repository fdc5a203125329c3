/** System URLs used on the wire. X12 and CPT are named by URL only: their texts are licensed. */
export const CODE_SYSTEMS = {
  cpt: 'http://www.ama-assn.org/go/cpt',
  /** What PAS binds. Records also carry `https://…`, `urn:oid:2.16.840.1.113883.6.285`: see `canonicalCodeSystem`. */
  hcpcs: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets',
  icd10cm: 'http://hl7.org/fhir/sid/icd-10-cm',
  icd10pcs: 'http://www.cms.gov/Medicare/Coding/ICD10',
  ndc: 'http://hl7.org/fhir/sid/ndc',
  snomed: 'http://snomed.info/sct',
  loinc: 'http://loinc.org',
  rxnorm: 'http://www.nlm.nih.gov/research/umls/rxnorm',
  ucum: 'http://unitsofmeasure.org',
  npi: 'http://hl7.org/fhir/sid/us-npi',
  tin: 'http://terminology.hl7.org/NamingSystem/USEIN',
  identifierType: 'http://terminology.hl7.org/CodeSystem/v2-0203',
  nullFlavor: 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor',
  observationValue: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  dataAbsentReason: 'http://terminology.hl7.org/CodeSystem/data-absent-reason',
  actCode: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
  claimType: 'http://terminology.hl7.org/CodeSystem/claim-type',
  processPriority: 'http://terminology.hl7.org/CodeSystem/processpriority',
  adjudication: 'http://terminology.hl7.org/CodeSystem/adjudication',
  relatedClaim: 'http://terminology.hl7.org/CodeSystem/ex-relatedclaimrelationship',
  diagnosisType: 'http://terminology.hl7.org/CodeSystem/ex-diagnosistype',
  subscriberRelationship: 'http://terminology.hl7.org/CodeSystem/subscriber-relationship',
  conditionClinical: 'http://terminology.hl7.org/CodeSystem/condition-clinical',
  conditionCategory: 'http://terminology.hl7.org/CodeSystem/condition-category',
  conditionVerification: 'http://terminology.hl7.org/CodeSystem/condition-ver-status',
  observationCategory: 'http://terminology.hl7.org/CodeSystem/observation-category',
  placeOfService: 'https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set',
  /** Codes only. */
  nubcAdmission: 'https://www.nubc.org/CodeSystem/PriorityTypeOfAdmitOrVisit',
  /** IHE named its code system like a value set. */
  documentFormat: 'http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem',
  nuccTaxonomy: 'http://nucc.org/provider-taxonomy',
  crdTemp: 'http://hl7.org/fhir/us/davinci-crd/CodeSystem/temp',
  dtrTemp: 'http://hl7.org/fhir/us/davinci-dtr/CodeSystem/temp',
  pasTemp: 'http://hl7.org/fhir/us/davinci-pas/CodeSystem/PASTempCodes',
  x12ReviewAction: 'https://codesystem.x12.org/005010/306',
  x12ReviewReason: 'https://codesystem.x12.org/external/886',
  x12ReportType: 'https://codesystem.x12.org/005010/755',
  x12ServiceType: 'https://codesystem.x12.org/005010/1365',
  x12RequestCategory: 'https://codesystem.x12.org/005010/1525',
  x12CertificationType: 'https://codesystem.x12.org/005010/1322',
  x12LevelOfService: 'https://codesystem.x12.org/005010/1338',
  x12Entity: 'https://codesystem.x12.org/005010/98',
  x12Relationship: 'https://codesystem.x12.org/005010/1069',
  x12RejectReason: 'https://codesystem.x12.org/005010/901',
  x12FollowUpAction: 'https://codesystem.x12.org/005010/889',
} as const;

const SYSTEM_ALIASES: Readonly<Record<string, string>> = {
  'http://hl7.org/fhir/condition-category': CODE_SYSTEMS.conditionCategory,
  'https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets': CODE_SYSTEMS.hcpcs,
  'https://www.cms.gov/medicare/coding/hcpcsreleasecodesets': CODE_SYSTEMS.hcpcs,
  'https://bluebutton.cms.gov/resources/codesystem/hcpcs': CODE_SYSTEMS.hcpcs,
  'http://terminology.hl7.org/CodeSystem/HCPCS': CODE_SYSTEMS.hcpcs,
  'urn:oid:2.16.840.1.113883.6.285': CODE_SYSTEMS.hcpcs,
  'urn:oid:2.16.840.1.113883.6.14': CODE_SYSTEMS.hcpcs,
  'https://www.ama-assn.org/go/cpt': CODE_SYSTEMS.cpt,
  'urn:oid:2.16.840.1.113883.6.12': CODE_SYSTEMS.cpt,
  'urn:oid:2.16.840.1.113883.6.90': CODE_SYSTEMS.icd10cm,
  'urn:oid:2.16.840.1.113883.6.96': CODE_SYSTEMS.snomed,
  'https://snomed.info/sct': CODE_SYSTEMS.snomed,
  'urn:oid:2.16.840.1.113883.6.1': CODE_SYSTEMS.loinc,
  'https://loinc.org': CODE_SYSTEMS.loinc,
  'urn:oid:2.16.840.1.113883.6.88': CODE_SYSTEMS.rxnorm,
  'urn:oid:2.16.840.1.113883.6.69': CODE_SYSTEMS.ndc,
};

/** The system as FHIR writes it, for the spellings found in real records; others come back trimmed and otherwise unchanged. */
export function canonicalCodeSystem(system: string): string {
  const trimmed = system.trim();
  return SYSTEM_ALIASES[trimmed] ?? trimmed;
}
