import type { Questionnaire } from '@medplum/fhirtypes';
import { canonicalCoding } from '../order/canonical-coding.ts';
import type { Policy, PolicyDefault, PolicyRevision } from './policy.ts';
import type { PolicyReference } from './requirement.ts';

export interface PolicyQuestion {
  readonly payerId: string;
  readonly system: string;
  readonly code: string;
  /** Calendar day in the payer's time zone, YYYY-MM-DD. */
  readonly date: string;
  /** Two-letter state of the patient's home. Unknown: rules that hold in some states only do not apply. */
  readonly state?: string | undefined;
}

export interface ApplicablePolicy {
  readonly policy: Policy;
  readonly revision: PolicyRevision;
}

export interface PolicyLibrary {
  readonly policies: readonly Policy[];
  readonly default: PolicyDefault;
  /** The revision in force for that service on that day. A policy that names the payer goes before one for every payer. */
  findFor(question: PolicyQuestion): ApplicablePolicy | undefined;
  /** True when a rule in force names the service for some states: then the state must be known. */
  namesInSomeStates(question: Omit<PolicyQuestion, 'state'>): boolean;
  /** A form that is sent along with the task to fill it in; by canonical, url|version. */
  form(canonical: string): Questionnaire | undefined;
  /** A revision by name, in force or not: the one kept with a case. */
  revision(reference: PolicyReference): ApplicablePolicy | undefined;
}

interface IndexEntry extends ApplicablePolicy {
  readonly from: string;
  readonly to: string;
  readonly states: ReadonlySet<string> | undefined;
}

export function createPolicyLibrary(policies: readonly Policy[], byDefault: PolicyDefault, forms: readonly Questionnaire[] = []): PolicyLibrary {
  const formsByCanonical = new Map(forms.map((form) => [`${form.url}|${form.version}`, form]));
  const index = new Map<string, IndexEntry[]>();
  const revisions = new Map<string, ApplicablePolicy>();
  for (const policy of policies) {
    for (const revision of policy.revisions) {
      revisions.set(`${policy.id}|${revision.revision}`, { policy, revision });
      for (const service of revision.services) {
        const entry: IndexEntry = {
          policy,
          revision,
          from: latest(revision.effectiveFrom, service.from ?? ''),
          to: earliest(revision.effectiveTo ?? '9999-12-31', service.to ?? '9999-12-31'),
          states: service.states ? new Set(service.states) : undefined,
        };
        for (const code of service.codes) {
          const key = keyOf({ system: service.system, code });
          if (key !== undefined) index.set(key, [...(index.get(key) ?? []), entry]);
        }
      }
    }
  }
  const inForceFor = ({ system, code, date }: PolicyQuestion): readonly IndexEntry[] =>
    (index.get(keyOf({ system, code }) ?? '') ?? []).filter((entry) => entry.from <= date && date <= entry.to);
  return {
    policies,
    default: byDefault,
    form: (canonical) => formsByCanonical.get(canonical),
    namesInSomeStates: (question) => inForceFor(question).some((entry) => entry.states !== undefined && (entry.policy.payers.includes(question.payerId) || entry.policy.payers.includes('*'))),
    findFor(question) {
      const { payerId, state } = question;
      const inForce = inForceFor(question).filter((entry) => !entry.states || (state !== undefined && entry.states.has(state)));
      return inForce.find((entry) => entry.policy.payers.includes(payerId)) ?? inForce.find((entry) => entry.policy.payers.includes('*'));
    },
    revision: ({ policyId, revision }) => revisions.get(`${policyId}|${revision}`),
  };
}

function keyOf(coding: { readonly system: string; readonly code: string }): string | undefined {
  const canonical = canonicalCoding(coding);
  return canonical && `${canonical.system}|${canonical.code}`;
}

const latest = (a: string, b: string): string => (a > b ? a : b);
const earliest = (a: string, b: string): string => (a < b ? a : b);
