import { CARD_TYPE_CODES, type CardTypeCode } from '#fhir/generated/code-sets.ts';

/** What a client wants of one answer (davinci-crd.configuration of CRD). */
export interface Configuration {
  /** false: not even the system actions are sent. */
  readonly coverageInformation: boolean;
  /** false: an authorization is not declared satisfied that nobody has asked for. */
  readonly unsolicitedDeterminations: boolean;
  readonly maxCards: number;
  /** By the code of a card's topic. A topic without an option is wanted. */
  wants(topic: string): boolean;
}

interface Option {
  readonly code: string;
  readonly type: 'boolean' | 'integer';
  readonly name: string;
  readonly description: string;
}

/** Card types that are options: a client may switch off each (CRD 2.0.1, configuration). */
const CARD_OPTIONS: { readonly [C in Exclude<CardTypeCode, 'coverage-info'>]: readonly [name: string, description: string] } = {
  'appropriate-use': ['Appropriate use', 'Whether the service fits the criteria for its use.'],
  claim: ['Claim', 'What the claim will have to carry.'],
  'clinical-reminder': ['Clinical reminders', 'Steps of care that go with what is ordered.'],
  contraindication: ['Contraindications', 'Reasons in the record against what is ordered.'],
  cost: ['Cost', 'What the patient may have to pay.'],
  'duplicate-therapy': ['Duplicate therapy', 'What is ordered may repeat what the patient already has.'],
  guideline: ['Guidelines and instructions', "What the payer's policy asks to be documented, and where it can be read."],
  insurance: ['Insurance records', 'Differences between the coverage on record and what the payer knows.'],
  limits: ['Limits', 'Limits of quantity or time that apply.'],
  network: ['Network', 'Providers inside and outside the network.'],
  'off-guideline': ['Off guideline', 'What is ordered departs from a guideline.'],
  'therapy-alternatives-opt': ['Alternatives', 'Other services that could be ordered instead.'],
  'therapy-alternatives-req': ['Required alternatives', 'Services that the payer wants tried first.'],
};
const OWN_CARD_OPTIONS = {
  'denial-risk': ['Denial risk', 'Estimated chance that the payer denies the request, with reasons.'],
  'prior-auth-panel': ['Prior authorization panel', 'A link that opens the prior authorization panel beside the chart.'],
} as const;

const flag = (code: string, [name, description]: readonly [name: string, description: string]): Option => ({ code, type: 'boolean', name, description });
const OPTIONS: readonly Option[] = [
  flag('coverage-info', ['Coverage information', 'Coverage and authorization requirements, as an action on the order.']),
  flag('unsolicited-determ', ['Unsolicited determinations', 'Authorizations that are given although nobody has asked for them.']),
  ...CARD_TYPE_CODES.flatMap((code) => (code === 'coverage-info' ? [] : [flag(code, CARD_OPTIONS[code])])),
  ...Object.entries(OWN_CARD_OPTIONS).map(([code, words]) => flag(code, words)),
  { code: 'max-cards', type: 'integer', name: 'Maximum cards', description: 'Upper limit of cards in one answer.' },
];

export interface Defaults {
  /** Codes that are off unless asked for. */
  readonly off: ReadonlySet<string>;
  readonly maxCards: number;
}

/** The guide discourages a SMART link for documentation: that card comes to a client that asks for it. */
export const DEFAULTS: Defaults = { off: new Set(['prior-auth-panel']), maxCards: 10 };

export function configurationOptions({ off, maxCards }: Defaults): readonly object[] {
  return OPTIONS.map((option) => ({ ...option, default: option.type === 'integer' ? maxCards : !off.has(option.code) }));
}

/** Unknown codes and values of the wrong type are passed over: the service must work with any configuration. */
export function readConfiguration(sent: Readonly<Record<string, unknown>>, { off, maxCards }: Defaults): Configuration {
  const wants = (code: string): boolean => (typeof sent[code] === 'boolean' ? sent[code] : !off.has(code));
  const limit = sent['max-cards'];
  const coverageInformation = wants('coverage-info');
  return {
    coverageInformation,
    unsolicitedDeterminations: coverageInformation && wants('unsolicited-determ'),
    maxCards: typeof limit === 'number' && Number.isInteger(limit) && limit >= 0 ? limit : maxCards,
    wants,
  };
}
