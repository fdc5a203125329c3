const DTR = 'http://hl7.org/fhir/us/davinci-dtr';

export const DTR_URLS = {
  informationOrigin: `${DTR}/StructureDefinition/information-origin`,
  qrCoverage: `${DTR}/StructureDefinition/qr-coverage`,
  qrContext: `${DTR}/StructureDefinition/qr-context`,
  intendedUse: `${DTR}/StructureDefinition/intendedUse`,
  questionnaire: `${DTR}/StructureDefinition/dtr-std-questionnaire`,
  questionnaireResponse: `${DTR}/StructureDefinition/dtr-questionnaireresponse`,
  adaptiveResponse: `${DTR}/StructureDefinition/dtr-questionnaireresponse-adapt`,
  sdcAdaptiveResponse: 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaireresponse-adapt',
  packageBundle: `${DTR}/StructureDefinition/DTR-QPackageBundle`,
  packageInput: `${DTR}/StructureDefinition/dtr-qpackage-input-parameters`,
  packageOutput: `${DTR}/StructureDefinition/dtr-qpackage-output-parameters`,
  responseBundle: `${DTR}/StructureDefinition/DTR-QRBundle`,
  packageOperation: `${DTR}/OperationDefinition/questionnaire-package`,
} as const;
