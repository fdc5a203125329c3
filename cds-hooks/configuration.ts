/** Options a client may set (CRD 2.0.1 davinci-crd.configuration): one boolean for each kind of answer, and a limit. */
export interface Configuration {
  readonly coverageInformation: boolean;
  readonly instructions: boolean;
  readonly denialRisk: boolean;
  readonly panelLink: boolean;
  readonly maxCards: number;
}

const OPTIONS = [
  { code: 'coverage-info', type: 'boolean', name: 'Coverage information', description: 'Coverage and authorization requirements, as an action on the order.' },
  { code: 'guideline', type: 'boolean', name: 'Instructions', description: "What the payer's policy asks to be documented." },
  { code: 'denial-risk', type: 'boolean', name: 'Denial risk', description: 'Estimated chance that the payer denies the request, with reasons.' },
  { code: 'prior-auth-panel', type: 'boolean', name: 'Prior authorization panel', description: 'A link that opens the prior authorization panel beside the chart.' },
  { code: 'max-cards', type: 'integer', name: 'Maximum cards', description: 'Upper limit of cards in one answer.' },
] as const;

type Code = (typeof OPTIONS)[number]['code'];
type Defaults = { readonly [C in Code]: C extends 'max-cards' ? number : boolean };

/** The guide discourages a SMART link for documentation, so that link is on only where the operator opens the sandbox. */
export function defaultsFor(sandbox: boolean): Defaults {
  return { 'coverage-info': true, guideline: true, 'denial-risk': true, 'prior-auth-panel': sandbox, 'max-cards': 10 };
}

export function configurationOptions(defaults: Defaults): readonly object[] {
  return OPTIONS.map((option) => ({ ...option, default: defaults[option.code] }));
}

/** Unknown codes and values of the wrong type are passed over: the service must work with any configuration. */
export function readConfiguration(sent: Readonly<Record<string, unknown>>, defaults: Defaults): Configuration {
  const flag = (code: Exclude<Code, 'max-cards'>): boolean => (typeof sent[code] === 'boolean' ? sent[code] : defaults[code]);
  const limit = sent['max-cards'];
  return {
    coverageInformation: flag('coverage-info'),
    instructions: flag('guideline'),
    denialRisk: flag('denial-risk'),
    panelLink: flag('prior-auth-panel'),
    maxCards: typeof limit === 'number' && Number.isInteger(limit) && limit >= 0 ? limit : defaults['max-cards'],
  };
}
