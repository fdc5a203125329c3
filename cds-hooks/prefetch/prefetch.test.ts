import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Hook, HOOKS } from '../hook-call.ts';
import { ALWAYS, EVIDENCE } from './record-queries.ts';
import { STANDARD_2_0_1 } from './standard-2-0-1.ts';
import { STANDARD_2_2 } from './standard-2-2.ts';

const tokensOf = (query: string): readonly string[] => [...query.matchAll(/\{\{(.*?)\}\}/g)].flatMap(([, expression = '']) => expression.split('|'));
const FIELDS: { readonly [H in Hook]: readonly string[] } = {
  'order-sign': ['patientId', 'encounterId', 'draftOrders'], 'order-select': ['patientId', 'encounterId', 'draftOrders'], 'order-dispatch': ['patientId', 'order', 'dispatchedOrders'],
  'appointment-book': ['patientId', 'encounterId', 'appointments'], 'encounter-start': ['patientId', 'encounterId'], 'encounter-discharge': ['patientId', 'encounterId'],
};

describe('standard queries', () => {
  it.each(HOOKS)('%s: a token names a field of the context or an earlier key', (hook) => {
    const queries = Object.entries({ ...ALWAYS, ...STANDARD_2_0_1[hook], ...STANDARD_2_2[hook] });
    for (const [i, [key, query]] of queries.entries()) {
      const earlier = new Set(queries.slice(0, i).map(([each]) => each));
      for (const token of tokensOf(query)) {
        const [, kind = '', name = ''] = /^(context\.|%)(\w+)/.exec(token) ?? [];
        expect([key, token, kind === '%' ? earlier.has(name) : FIELDS[hook].includes(name)]).toEqual([key, token, true]);
      }
    }
  });
  it.each(HOOKS)('%s: 2.0.1 uses tokens of that version, and no key means two things', (hook) => {
    for (const query of Object.values(STANDARD_2_0_1[hook])) for (const token of tokensOf(query)) expect(token).toMatch(/^context\.(?:\w+|(?:draftOrders|appointments)\.\w+\.id)$/);
    const both = Object.entries(STANDARD_2_0_1[hook]).filter(([key, query]) => (STANDARD_2_2[hook][key] ?? query) !== query);
    expect(both).toEqual([]);
    expect(Object.values(EVIDENCE).filter(({ key }) => key in STANDARD_2_2[hook] || key in STANDARD_2_0_1[hook])).toEqual([]);
  });
});

const GUIDE = join(import.meta.dirname, '..', '..', '..', 'shared', 'cases', 'crd', 'ig-2.2.1', 'CRDServices.json');
if (!existsSync(GUIDE)) console.warn(`left out: standard prefetch of the guide, ${GUIDE} is not there`);
/** order-dispatch has no encounter in its context, so the guide's key and tokens for it stand for nothing and are left out. */
describe.skipIf(!existsSync(GUIDE))('CRD 2.2 standard prefetch is the guide’s', () => {
  it.each(HOOKS)('%s', (hook) => {
    const { services } = JSON.parse(readFileSync(GUIDE, 'utf8')) as { services: { hook: string; prefetch: Record<string, string> }[] };
    const { patient, coverage, encounter, ...rest } = services.find((service) => service.hook === hook)?.prefetch ?? {};
    const withoutEncounter = (query: string): string => query.replace(/%encounter\.[^|}]*\|?/g, '').replace('|}}', '}}');
    const expected = hook === 'order-dispatch' ? Object.fromEntries(Object.entries(rest).map(([key, query]) => [key, withoutEncounter(query)])) : { encounter, ...rest };
    expect(STANDARD_2_2[hook]).toEqual(expected);
    expect(ALWAYS.patient).toBe(patient);
    expect(ALWAYS.coverage.startsWith(coverage ?? '?')).toBe(true);
  });
});
