import type { Coverage, Resource } from '@medplum/fhirtypes';
import type { AnswerContext } from '#cds-hooks/answer-rules/answer-rules.ts';
import { type CardParts, cardsFor } from '#cds-hooks/cards-for.ts';
import { coverageAction } from '#cds-hooks/coverage-action.ts';
import type { DeterminedFocus } from '#cds-hooks/determined-focus.ts';
import type { HookAnswer } from '#cds-hooks/hook-answer.ts';
import { type CrdVersion, type Hook, type HookCall, PRIMARY_HOOKS } from '#cds-hooks/hook-call.ts';
import { withoutDocuments } from '#cds-hooks/hooks/secondary-hook.ts';
import { ANSWER_WRITERS } from '#cds-hooks/versions/answer-writers.ts';
import { determine } from '#prior-auth/coverage-requirement/determine.ts';
import { readChart } from '#prior-auth/coverage-requirement/evidence.ts';
import type { PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import type { CriterionFinding } from '#prior-auth/coverage-requirement/requirement.ts';
import { readFocusService } from '#prior-auth/order/read-focus-service.ts';

export interface PlayedCall {
  readonly library: PolicyLibrary;
  readonly drafts: readonly Resource[];
  readonly hook: Hook;
  readonly version: CrdVersion;
  readonly userId: string | undefined;
  /** Put in place of what the empty record gives. */
  readonly status?: CriterionFinding['status'];
}

const subject = { reference: 'Patient/p1' };
const coverage: Coverage = { resourceType: 'Coverage', id: 'c1', status: 'active', identifier: [{ type: { coding: [{ code: 'MB' }] }, value: 'M1' }], beneficiary: subject, relationship: { coding: [{ code: 'self' }] }, payor: [{ display: 'Payer' }] };
const payer = { id: 'x', name: 'Payer', organizationIdentifiers: [{ system: 'https://x', value: 'x' }], matchNames: [], fhirBase: 'https://x', pasVersion: '2.0.1', subscriptions: 'none', timeZone: 'UTC' } as const;

/** What the policies of a library answer to some drafts, before the checker sees it, and what it is to be held against. No HTTP, no store. */
export async function playPolicies({ library, drafts, hook, version, userId, status }: PlayedCall): Promise<{ readonly answer: HookAnswer; readonly context: AnswerContext }> {
  const writer = ANSWER_WRITERS[version];
  let ids = 0;
  const newId = (): string => `00000000-0000-4000-8000-${String((ids += 1)).padStart(12, '0')}`;
  const determined = drafts.map((focus): DeterminedFocus => {
    const service = readFocusService(focus);
    const found = determine(library, { order: focus, service, coverage: 'Coverage/c1', payer, patient: undefined, chart: () => readChart([]), today: '2026-11-22', assertionId: newId() });
    const determination = status === undefined ? found : { ...found, findings: found.findings.map((finding) => ({ ...finding, status })) };
    const each = { focus, service, determination, patient: undefined, coverage, payer, payerName: 'Payer', otherPayers: [], today: '2026-11-22' };
    return PRIMARY_HOOKS.has(hook) ? each : withoutDocuments(each);
  });
  const parts: CardParts = {
    policies: library, model: { score: async () => ({ probability: 0.5, band: 'medium', reasons: [], modelVersion: 'm', simulated: true }) }, shownRisks: { seenElsewhere: () => false, note: () => undefined },
    panelLaunchUrl: 'https://us.example/launch', newId, client: 'c', timeLeftMs: () => 1_000, onRisk: () => undefined,
  };
  const call: HookCall = {
    hook, version, patientId: 'p1', userId, orders: drafts, beside: [], hookInstance: newId(), fhirServer: undefined, accessToken: undefined, encounterId: undefined, appointments: [], named: [], selections: undefined, performer: undefined, prefetch: {}, configuration: {},
  };
  const { cards, systemActions } = await cardsFor(determined, { call, configuration: { coverageInformation: true, unsolicitedDeterminations: true, maxCards: 99, wants: () => true }, writer, parts });
  const coverageActions = determined.flatMap(({ focus, determination }) => coverageAction(focus, determination.requirement, writer) ?? []);
  const references = drafts.map((focus) => `${focus.resourceType}/${focus.id}`);
  return {
    answer: { cards, systemActions: [...coverageActions, ...systemActions] },
    context: { hook, version, sent: new Map(drafts.map((focus) => [`${focus.resourceType}/${focus.id}`, focus])), drafts: new Set(references), coverageInformation: true },
  };
}
