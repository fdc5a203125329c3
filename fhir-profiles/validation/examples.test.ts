import { existsSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { tarFiles } from '../tables/package-archive.ts';
import { openValidator, type IgId } from './validator.ts';

const PACKAGES = fileURLToPath(new URL('../../../shared/igs/', import.meta.url));
const hasPackages = existsSync(PACKAGES);
if (!hasPackages) console.warn('left out: the guides\' own examples, because ../shared/igs is not there');

/** Examples that break the guide they belong to: what is found, and where. */
const BROKEN: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'pas-2.0.1': {
    'Bundle-ErrorResponseBundleExample.json': ['bundle-dangling-reference Bundle.entry[0].resource.item[0].extension[3].extension[0].valueReference'],
    'Bundle-ReferralAuthorizationResponseBundleExample.json': ['bundle-dangling-reference Bundle.entry[0].resource.item[0].extension[3].extension[0].valueReference'],
    'Bundle-SurgicalRequestBundleExample.json': [
      'bundle-dangling-reference Bundle.entry[6].resource.practitioner',
      'bundle-dangling-reference Bundle.entry[6].resource.location[0]',
    ],
  },
  'pas-2.2.1': {
    'Bundle-ErrorResponseBundleExample.json': [
      'bundle-dangling-reference Bundle.entry[4].resource.careTeam[0].provider',
      'bundle-dangling-reference Bundle.entry[4].resource.supportingInfo[0].valueReference',
      'bundle-dangling-reference Bundle.entry[4].resource.insurance[0].coverage',
      'bundle-dangling-reference Bundle.entry[4].resource.item[0].extension[5].valueReference',
    ],
    'Bundle-PASClaimInquiryResponseBundleExample.json': [
      'bundle-dangling-reference Bundle.entry[5].resource.careTeam[0].provider',
      'bundle-dangling-reference Bundle.entry[5].resource.supportingInfo[0].valueReference',
      'bundle-dangling-reference Bundle.entry[5].resource.item[0].extension[5].valueReference',
    ],
    'Bundle-ReferralAuthorizationResponseBundleExample.json': ['bundle-dangling-reference Bundle.entry[0].resource.requestor'],
    'Bundle-ReferralPendingAuthorizationResponseBundleExample.json': ['bundle-dangling-reference Bundle.entry[0].resource.requestor'],
    'Bundle-RejectionResponseBundleExample.json': [
      'bundle-dangling-reference Bundle.entry[4].resource.careTeam[0].provider',
      'bundle-dangling-reference Bundle.entry[4].resource.supportingInfo[0].valueReference',
      'bundle-dangling-reference Bundle.entry[4].resource.insurance[0].coverage',
      'bundle-dangling-reference Bundle.entry[4].resource.item[0].extension[5].valueReference',
    ],
    'Bundle-SurgicalRequestBundleExample.json': [
      'bundle-dangling-reference Bundle.entry[6].resource.practitioner',
      'bundle-dangling-reference Bundle.entry[6].resource.location[0]',
    ],
  },
  'us-core-3.1.1': {
    // The hash is a hexadecimal text of 41 characters, which is no base64.
    'DiagnosticReport-cardiology-report.json': ['primitive-format DiagnosticReport.presentedForm[0].hash'],
    // The flow rate is in L/min, which the R4 list of vital-sign units does not have.
    'Observation-satO2-fiO2.json': ['binding-required Observation.component[0].value'],
  },
};

const COUNTS: Readonly<Partial<Record<IgId, number>>> = {
  'pas-2.0.1': 39,
  'pas-2.2.1': 47,
  'crd-2.0.1': 16,
  'dtr-2.0.1': 16,
  'us-core-3.1.1': 84,
  'us-core-6.1.0': 183,
  'us-core-7.0.0': 214,
};

function examplesOf(ig: string): [name: string, resource: unknown][] {
  const tar = gunzipSync(readFileSync(`${PACKAGES}${ig}.tgz`));
  return [...tarFiles(tar)].flatMap(([path, text]) => {
    const name = /^package\/example\/([A-Z][^/]*\.json)$/.exec(path)?.[1];
    return name === undefined ? [] : [[name, JSON.parse(text)] as [string, unknown]];
  });
}

describe.skipIf(!hasPackages).each(Object.entries(COUNTS))('examples of %s', (ig, count) => {
  it('have no error but those that are broken', () => {
    const validator = openValidator([ig as IgId]);
    const examples = examplesOf(ig);
    expect(examples).toHaveLength(count);
    const found = Object.fromEntries(
      examples.flatMap(([name, resource]) => {
        const errors = validator.validate(resource).issues.filter(({ severity }) => severity === 'error');
        return errors.length ? [[name, errors.map(({ code, path }) => `${code} ${path}`)]] : [];
      }),
    );
    expect(found).toEqual(BROKEN[ig] ?? {});
  });
});
