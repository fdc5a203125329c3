import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { Bundle, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tarFiles } from '#fhir/tables/package-archive.ts';
import { openValidator } from '#fhir/validation/validator.ts';
import type { Store } from '#store/database.ts';
import { openPayerBench, type PayerBench, readItem } from '#test-fixtures/payer-bench.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';

const PACKAGES = fileURLToPath(new URL('../../../shared/igs/', import.meta.url));
const hasPackages = existsSync(PACKAGES);
if (!hasPackages) console.warn("left out: the guides' own examples at the payer, because ../shared/igs is not there");
const PAS = 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition';
const VERSIONS = ['2.0.1', '2.2.1'] as const;
type PasVersion = (typeof VERSIONS)[number];

function bundlesOf(version: PasVersion): ReadonlyMap<string, Bundle> {
  const tar = gunzipSync(readFileSync(`${PACKAGES}pas-${version}.tgz`));
  return new Map([...tarFiles(tar)].flatMap(([path, text]) => {
    const name = /^package\/example\/Bundle-(.*)\.json$/.exec(path)?.[1];
    return name === undefined ? [] : [[name, JSON.parse(text) as Bundle] as const];
  }));
}

type Fate = { readonly codes: readonly (string | undefined)[] } | { readonly refused: RegExp };

/** The examples share their identifiers, so that those which are no update of one another come from payers of their own. */
const FATES: { readonly [V in PasVersion]: Readonly<Record<string, Fate>> } = {
  '2.0.1': {
    HomecareAuthorizationBundleExample: { codes: ['A1', 'A1'] },
    HomecareAuthorizationUpdateBundleExample: { codes: ['A1', undefined, 'A1'] },
    MedicalServicesAuthorizationBundleExample: { codes: ['A1'] },
    ReferralAuthorizationBundleExample: { codes: ['A4'] },
    SurgicalRequestBundleExample: { refused: /Bundle\.entry\[6\]/ },
    ErrorResponseBundleExample: { refused: /Bundle/ },
    PASClaimInquiryResponseBundleExample: { refused: /Bundle/ },
    ReferralAuthorizationResponseBundleExample: { refused: /Bundle/ },
  },
  '2.2.1': {
    HomecareAuthorizationBundleExample: { codes: ['A1', 'A1'] },
    HomecareAuthorizationUpdateBundleExample: { codes: ['A1', undefined, 'A1'] },
    MedicalServicesAuthorizationBundleExample: { codes: ['A1'] },
    ReferralAuthorizationBundleExample: { codes: ['A4'] },
    SurgicalRequestBundleExample: { refused: /Bundle\.entry\[6\]/ },
    ErrorResponseBundleExample: { refused: /Bundle/ },
    PASClaimInquiryResponseBundleExample: { refused: /Bundle/ },
    PASSubscriptionNotification: { refused: /Bundle/ },
    ReferralAuthorizationResponseBundleExample: { refused: /Bundle/ },
    ReferralPendingAuthorizationResponseBundleExample: { refused: /Bundle/ },
    RejectionResponseBundleExample: { refused: /Bundle/ },
  },
};

describe.skipIf(!hasPackages).each(VERSIONS)('the examples of PAS %s', (version) => {
  const validator = openValidator([version === '2.0.1' ? 'pas-2.0.1' : 'pas-2.2.1']);
  const examples = hasPackages ? bundlesOf(version) : new Map<string, Bundle>();
  let store: Store;
  let bench: PayerBench;
  beforeAll(async () => {
    store = await openTestStore();
    bench = await openPayerBench({ db: store.db, started: false });
  });
  afterAll(async () => {
    await bench.close();
    await store.close();
  });
  const example = (name: string): Bundle => {
    const found = examples.get(name);
    if (!found) throw new Error(`the package has no ${name}`);
    return structuredClone(found);
  };
  /** Claim.identifier 111099 and Bundle.identifier A12345 stand in several examples: told apart by the story they belong to. */
  const toldApart = (name: string): Bundle => JSON.parse(JSON.stringify(example(name)).replaceAll('"111099', `"${name.replace('Update', '').replace('Differential', '')}-111099`).replaceAll('"A12345"', `"${name}"`)) as Bundle;
  const submit = async (bundle: Bundle) => {
    const reply = await bench.submit(bundle, undefined, version);
    return { status: reply.status, answer: (await reply.json()) as Bundle | OperationOutcome };
  };

  it('are all spoken of here', () => {
    const others = ['PASClaimInquiryBundleExample', 'HomecareAuthorizationDifferentialBundleExample'];
    expect([...examples.keys()].filter((name) => !others.includes(name)).toSorted()).toEqual(Object.keys(FATES[version]).toSorted());
  });

  it.each(Object.entries(FATES[version]))('%s', async (name, fate) => {
    const { status, answer } = await submit(toldApart(name));
    const isRefused = 'refused' in fate;
    expect(status).toBe(isRefused ? 422 : 200);
    const places = answer.resourceType === 'OperationOutcome' ? (answer.issue?.flatMap(({ expression }) => expression ?? []) ?? []) : [];
    expect(places.join(' ')).toMatch(isRefused ? fate.refused : /^$/);
    const errors = isRefused ? [] : validator.validate(answer, { profile: `${PAS}/profile-pas-response-bundle` }).issues.filter(({ severity }) => severity === 'error');
    expect(errors).toEqual([]);
    const response = answer.resourceType === 'Bundle' ? answer.entry?.[0]?.resource : undefined;
    expect(response?.resourceType === 'ClaimResponse' ? response.item?.map((item) => readItem(item).code) : undefined).toEqual(isRefused ? undefined : fate.codes);
  });

  it.runIf(version === '2.0.1')('the differential update, complete in its answer', async () => {
    const apart = (name: string): Bundle => JSON.parse(JSON.stringify(example(name)).replaceAll('"111099"', '"differential"').replaceAll('"A12345"', '"D1"').replaceAll('"B56789"', '"D0"')) as Bundle;
    expect((await submit(apart('HomecareAuthorizationBundleExample'))).status).toBe(200);
    const { status, answer } = await submit(apart('HomecareAuthorizationDifferentialBundleExample'));
    expect(status).toBe(200);
    const response = answer.resourceType === 'Bundle' ? answer.entry?.[0]?.resource : undefined;
    expect(response?.resourceType === 'ClaimResponse' && response.item?.map((item) => [item.itemSequence, readItem(item).code])).toEqual([[1, 'A1'], [2, undefined], [3, 'A1']]);
    expect(response?.meta?.security).toBeUndefined();
  });

  it('the inquiry is answered', async () => {
    const reply = await bench.inquire(example('PASClaimInquiryBundleExample'), undefined, version);
    expect(reply.status).toBe(200);
    expect(((await reply.json()) as Resource).resourceType).toBe(version === '2.2.1' ? 'Parameters' : 'Bundle');
  });

  it('a request of 2.0.1 sent to 2.2.1 is told what is missing', async () => {
    if (version === '2.0.1') return;
    const { status, answer } = await submit(bundlesOf('2.0.1').get('MedicalServicesAuthorizationBundleExample') ?? example(''));
    expect(status).toBe(422);
    expect(JSON.stringify(answer)).toMatch(/locationCodeableConcept|relationship|memberid/);
  });
});
