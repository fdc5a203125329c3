const CRD = 'http://hl7.org/fhir/us/davinci-crd';

export const CRD_URLS = {
  coverageInformation: `${CRD}/StructureDefinition/ext-coverage-information`,
  serviceRequest: `${CRD}/StructureDefinition/profile-servicerequest`,
  deviceRequest: `${CRD}/StructureDefinition/profile-devicerequest`,
  nutritionOrder: `${CRD}/StructureDefinition/profile-nutritionorder`,
  visionPrescription: `${CRD}/StructureDefinition/profile-visionprescription`,
  communicationRequest: `${CRD}/StructureDefinition/profile-communicationrequest`,
  appointment: `${CRD}/StructureDefinition/profile-appointment`,
  encounter: `${CRD}/StructureDefinition/profile-encounter`,
  medicationRequest: `${CRD}/StructureDefinition/profile-medicationrequest`,
  coverage: `${CRD}/StructureDefinition/profile-coverage`,
  patient: `${CRD}/StructureDefinition/profile-patient`,
  taskQuestionnaire: `${CRD}/StructureDefinition/profile-taskquestionnaire`,
  codesTemp: `${CRD}/CodeSystem/temp`,
} as const;
