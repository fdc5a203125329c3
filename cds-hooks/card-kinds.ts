import type { PolicyResponse } from '#prior-auth/coverage-requirement/policy-response.ts';
import type { PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import { NOT_DOCUMENTED_NOW } from './override-reasons.ts';
import { DENIAL_RISK } from './readiness/denial-risk-card.ts';
import { INSTRUCTIONS, PANEL_LINK } from './readiness/own-cards.ts';
import { topicOf } from './responses/card-topics.ts';
import { EVERY_ORDER } from './responses/responses-to.ts';

/** A kind of card that this service sends: what feedback is counted by. */
export interface CardKind {
  /** As `newCardId` takes it. */
  readonly kind: string;
  /** What people call it. */
  readonly name: string;
  /** Response type of CRD. */
  readonly type: PolicyResponse['type'];
  readonly topic: string;
  /** Words for the override reasons that the card offers, by code. */
  readonly reasons: Readonly<Record<string, string>>;
}

/** Every kind that the present policies, in all their revisions, can make. */
export function cardKinds(library: PolicyLibrary): readonly CardKind[] {
  const reasons = Object.fromEntries(NOT_DOCUMENTED_NOW.map(({ code, display }) => [code, display]));
  const own: readonly CardKind[] = [
    { kind: INSTRUCTIONS, name: 'What the payer will look for', type: 'instructions', topic: 'guideline', reasons },
    { kind: DENIAL_RISK, name: 'Denial risk and readiness', type: 'instructions', topic: DENIAL_RISK, reasons },
    { kind: PANEL_LINK, name: 'Prior authorization panel', type: 'launch-app', topic: PANEL_LINK, reasons: {} },
  ];
  const ofPolicies = library.policies.flatMap(({ id, title, revisions }) => revisions.flatMap(({ responses = [] }) => responses.map((response) => kindOf(id, title, response))));
  const every = (library.default.everyOrder ?? []).map((response) => kindOf(EVERY_ORDER, 'Every order', response));
  return [...new Map([...own, ...ofPolicies, ...every].map((each) => [each.kind, each])).values()];
}

function kindOf(policyId: string, title: string, response: PolicyResponse): CardKind {
  return {
    kind: `${policyId}/${response.id}`,
    name: `${title}: ${response.summary.replace(/\{\{(\w+)\}\}/g, '…')}`,
    type: response.type,
    topic: topicOf(response),
    reasons: Object.fromEntries((response.overrideReasons ?? []).map(({ code, display }) => [code, display])),
  };
}
