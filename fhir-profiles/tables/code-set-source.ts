/** Code sets that other folders use as TypeScript, and the value set each one is taken from. */
const CODE_SETS = [
  { name: 'Covered', ig: 'crd-2.0.1', url: 'http://hl7.org/fhir/us/davinci-crd/ValueSet/coverageInfo' },
  { name: 'PaNeeded', ig: 'crd-2.0.1', url: 'http://hl7.org/fhir/us/davinci-crd/ValueSet/coveragePaDetail' },
  { name: 'DocNeeded', ig: 'crd-2.0.1', url: 'http://hl7.org/fhir/us/davinci-crd/ValueSet/AdditionalDocumentation' },
  { name: 'DocPurpose', ig: 'crd-2.0.1', url: 'http://hl7.org/fhir/us/davinci-crd/ValueSet/DocReason' },
  { name: 'InfoNeeded', ig: 'crd-2.0.1', url: 'http://hl7.org/fhir/us/davinci-crd/ValueSet/informationNeeded' },
  { name: 'Reason', ig: 'crd-2.0.1', url: 'http://hl7.org/fhir/us/davinci-crd/ValueSet/coverageAssertionReasons' },
  { name: 'Detail', ig: 'crd-2.0.1', url: 'http://hl7.org/fhir/us/davinci-crd/ValueSet/coverageDetail' },
  { name: 'CardType', ig: 'crd-2.0.1', url: 'http://hl7.org/fhir/us/davinci-crd/ValueSet/cardType' },
  { name: 'Covered22', ig: 'crd-2.2.0-preview', url: 'http://hl7.org/fhir/us/davinci-crd/ValueSet/coverageInfo' },
  { name: 'PaNeeded22', ig: 'crd-2.2.0-preview', url: 'http://hl7.org/fhir/us/davinci-crd/ValueSet/coveragePaDetail' },
  { name: 'DocNeeded22', ig: 'crd-2.2.0-preview', url: 'http://hl7.org/fhir/us/davinci-crd/ValueSet/AdditionalDocumentation' },
  { name: 'InfoNeeded22', ig: 'crd-2.2.0-preview', url: 'http://hl7.org/fhir/us/davinci-crd/ValueSet/informationNeeded' },
  { name: 'Reason22', ig: 'crd-2.2.0-preview', url: 'http://hl7.org/fhir/us/davinci-crd/ValueSet/coverageAssertionReasons' },
  { name: 'DetailCategory22', ig: 'crd-2.2.0-preview', url: 'http://hl7.org/fhir/us/davinci-crd/ValueSet/coverageDetailCategories' },
  { name: 'InformationOrigin', ig: 'dtr-2.0.1', url: 'http://hl7.org/fhir/us/davinci-dtr/ValueSet/informationOrigins' },
] as const;

/** Text of `generated/code-sets.ts`. Throws when a package has lost one of the value sets. */
export function codeSetSource(codesOf: (ig: string, url: string) => readonly string[]): string {
  const sets = CODE_SETS.map(({ name, ig, url }) => {
    const codes = codesOf(ig, url);
    if (codes.length === 0) throw new Error(`${ig} lists no codes for ${url}`);
    const constant = `${name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}_CODES`;
    return `/** ${url}, ${ig} */
export const ${constant} = [${codes.map((code) => `'${code}'`).join(', ')}] as const;
export type ${name}Code = (typeof ${constant})[number];
`;
  });
  return `// Written by \`npm run profiles:generate\` from the packages named in ig.lock.json. Do not edit.\n\n${sets.join('\n')}`;
}
