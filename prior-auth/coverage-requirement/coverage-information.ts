/* Names of the CRD coverage-information extension that reader and serializers share. */
export const COVERAGE_INFORMATION = 'http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information';
/** Our own `detail` that tells the panel which policy revision decided. */
export const COVERAGE_DETAIL_SYSTEM = 'https://openpriorauth.org/CodeSystem/coverage-detail';
export const POLICY_REVISION_DETAIL = 'policy-revision';
