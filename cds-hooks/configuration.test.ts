import { describe, expect, it } from 'vitest';
import { CARD_TYPE_CODES } from '#fhir/generated/code-sets.ts';
import { loadPolicies } from '#policies/load-policies.ts';
import { configurationOptions, DEFAULTS, readConfiguration } from './configuration.ts';
import { discovery, prefetchQueries } from './discovery.ts';

const defaults = { off: new Set<string>(), maxCards: 10 };
interface Option {
  readonly code: string;
  readonly type: string;
  readonly name: string;
  readonly description: string;
  readonly default: unknown;
}
const options = configurationOptions(defaults) as readonly Option[];

/** Kit: crd_v221_discovery_services_validation, discovery_configuration. */
describe('discovery', () => {
  const servicesOf = (prefetchChart: boolean) => (discovery(defaults, prefetchQueries(loadPolicies(), prefetchChart)) as { services: { hook: string; id: string; prefetch: Record<string, string> }[] }).services;
  const services = servicesOf(true);
  it('has a service for each hook, in both versions', () => {
    expect(services.map(({ hook, id }) => [hook, id])).toEqual(['order-sign', 'order-select', 'order-dispatch', 'appointment-book', 'encounter-start', 'encounter-discharge'].map((hook) => [hook, `${hook}-crd`]));
    for (const service of services) expect(service).toMatchObject({ description: expect.any(String), prefetch: { patient: 'Patient/{{context.patientId}}' }, extension: { 'davinci-crd.version': ['2.0', '2.2'], 'davinci-crd.configuration-options': options } });
  });
  it('asks for the chart where orders are answered, unless it is to be fetched', () => {
    expect(services.filter(({ prefetch }) => 'observations' in prefetch).map(({ hook }) => hook)).toEqual(['order-sign', 'order-select', 'order-dispatch', 'appointment-book']);
    expect(servicesOf(false).filter(({ prefetch }) => 'observations' in prefetch)).toEqual([]);
  });
});

/** CRD 2.0.1, configuration options: a boolean for every card type, all five parts, nothing twice. */
describe('options', () => {
  it('have code, type, name, description and default, each of the first three once', () => {
    for (const key of ['code', 'name', 'description'] as const) expect(new Set(options.map((option) => option[key])).size).toBe(options.length);
    for (const option of options) expect(Object.keys(option).sort()).toEqual(['code', 'default', 'description', 'name', 'type']);
    for (const { type, default: byDefault } of options) expect(typeof byDefault).toBe(type === 'integer' ? 'number' : type);
  });
  it.each([...CARD_TYPE_CODES, 'unsolicited-determ', 'denial-risk', 'prior-auth-panel'])('%s is a boolean', (code) => {
    expect(options.find((option) => option.code === code)?.type).toBe('boolean');
  });
  it('leave the panel link off outside the sandbox', () => {
    expect((configurationOptions(DEFAULTS) as readonly Option[]).filter((option) => option.default === false).map(({ code }) => code)).toEqual(['prior-auth-panel']);
  });
});

describe('a client’s configuration', () => {
  it.each<[string, Record<string, unknown>, object]>([
    ['none', {}, { coverageInformation: true, unsolicitedDeterminations: true, maxCards: 10 }],
    ['no coverage information', { 'coverage-info': false }, { coverageInformation: false, unsolicitedDeterminations: false }],
    ['nothing unsolicited', { 'unsolicited-determ': false }, { coverageInformation: true, unsolicitedDeterminations: false }],
    ['three cards', { 'max-cards': 3 }, { maxCards: 3 }],
    ['wrong types', { 'coverage-info': 'no', 'max-cards': '3' }, { coverageInformation: true, maxCards: 10 }],
    ['senseless numbers', { 'max-cards': -1 }, { maxCards: 10 }],
    ['half a card', { 'max-cards': 0.5 }, { maxCards: 10 }],
    ['unknown codes', { 'alt-drug': true, 'dtr-clin': 1, __proto__: null }, { coverageInformation: true, maxCards: 10 }],
  ])('%s', (_name, sent, expected) => {
    expect(readConfiguration(sent, defaults)).toMatchObject(expected);
  });
  it('switches card types on and off', () => {
    const configuration = readConfiguration({ guideline: false, 'prior-auth-panel': true }, DEFAULTS);
    expect(['guideline', 'prior-auth-panel', 'denial-risk', 'unheard-of'].map((topic) => configuration.wants(topic))).toEqual([false, true, true, true]);
  });
});
