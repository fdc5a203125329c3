import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import type { PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import { periodOf } from './check-library.ts';
import { phaseInWords } from './revision-changes.ts';

export interface ServiceQuestion {
  readonly system: string;
  readonly code: string;
  /** YYYY-MM-DD. */
  readonly date: string;
  /** Two letters; undefined when it is not known. */
  readonly state: string | undefined;
}

export interface ServiceAnswer {
  readonly payer: string;
  readonly outcome: { readonly kind: 'policy'; readonly policy: string; readonly revision: string } | { readonly kind: 'state-needed' } | { readonly kind: 'default' };
  /** The requirement in words. */
  readonly says: readonly string[];
  /** Each place in the library that names the code, and why it does or does not answer. */
  readonly considered: readonly { readonly policy: string; readonly revision: string; readonly phase: string; readonly why: string }[];
}

/** What the library says of a service for one payer, and why. */
export function explainService(library: PolicyLibrary, payer: Pick<Payer, 'id'>, { system, code, date, state }: ServiceQuestion): ServiceAnswer {
  const question = { payerId: payer.id, system, code, date };
  const found = library.findFor({ ...question, state });
  const considered = library.policies.flatMap((policy) =>
    policy.revisions.flatMap((revision) =>
      revision.services
        .filter((service) => service.system === system && service.codes.includes(code))
        .map((service) => {
          const { from, to } = periodOf(revision, service);
          const reasons = [
            ...(policy.payers.includes('*') || policy.payers.includes(payer.id) ? [] : [`is for ${policy.payers.join(', ')}`]),
            ...(date < from ? [`begins on ${from}`] : date > to ? [`ended on ${to}`] : []),
            ...(!service.states || (state !== undefined && service.states.includes(state)) ? [] : [state === undefined ? 'the state is not known' : `not in ${state}`]),
          ];
          const answers = found?.revision === revision;
          const why = reasons.length > 0 ? `does not apply: ${reasons.join('; ')}` : answers ? 'answers' : `applies, but ${found?.policy.id ?? 'another'} goes before it`;
          return { policy: policy.id, revision: revision.revision, phase: phaseInWords(service), why };
        }),
    ),
  );
  if (!found) {
    const stateNeeded = state === undefined && library.namesInSomeStates(question);
    const { covered, authorization } = library.default;
    return { payer: payer.id, outcome: { kind: stateNeeded ? 'state-needed' : 'default' }, says: stateNeeded ? ['conditional: the rule depends on the state in which the patient lives'] : [`no policy: ${covered}, ${authorization}`], considered };
  }
  const { policy, revision } = found;
  const { decision } = revision;
  return {
    payer: payer.id,
    outcome: { kind: 'policy', policy: policy.id, revision: revision.revision },
    says: [
      `${policy.title}: ${revision.covered}${revision.covered === 'not-covered' ? '' : `, ${revision.authorization}`}${revision.documentation ? `, documentation ${revision.documentation}` : ''}`,
      ...(revision.reason ? [revision.reason] : []),
      `source: ${revision.source.title} <${revision.source.url}>`,
      ...revision.questionnaires.map((canonical) => `questionnaire: ${canonical}`),
      ...revision.criteria.map(({ id, label }) => `criterion ${id}: ${label}`),
      ...(decision ? [`decision: ${decision.route}${decision.limit ? ` of ${decision.limit.max} ${decision.limit.unit}` : ''}`] : []),
      ...(revision.responses ?? []).map(({ id, type }) => `response ${id}: ${type}`),
    ],
    considered,
  };
}
