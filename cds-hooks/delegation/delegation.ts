import type { Coverage, Patient } from '@medplum/fhirtypes';
import { referenceTo } from '#fhir/base/reference.ts';
import { withReason } from '#prior-auth/coverage-requirement/determine.ts';
import type { Payer, PayerCrdService } from '#prior-auth/coverage-requirement/payer.ts';
import type { DeterminedFocus } from '../determined-focus.ts';
import type { Card } from '../hook-answer.ts';
import type { HookCall } from '../hook-call.ts';
import type { AnswerWriter } from '../versions/answer-writer.ts';
import type { AskedFocus } from './asked-focus.ts';
import type { NoAnswer, PayersFault, PayerServices, PayersReply } from './payer-services.ts';

/** Who answered for an order: the payer's own service; our library, for a payer without one; or our library because that service gave no answer to use. */
export type AnswerSource = 'payer' | 'library' | 'library-instead';

export interface DelegationEvent {
  readonly payerId: string;
  readonly outcome: 'answered' | NoAnswer;
  readonly faults: readonly PayersFault[];
}

/** One resource of a call with the coverage and payer that were chosen for it. */
export interface FocusOfPayer extends AskedFocus {
  readonly payer: Payer | undefined;
  readonly coverageResource: Coverage | undefined;
}

export interface PayersAnswers {
  /** The payer's word in place of ours, where there is one that can be used; else ours, which then says so. */
  merged(determined: DeterminedFocus): { readonly focus: DeterminedFocus; readonly source: AnswerSource };
  readonly cards: readonly Card[];
}

export interface Delegation {
  /** Begins at once, so that it runs beside our own determination. Undefined: no payer of the call has a service of its own. */
  begin(asked: { readonly call: HookCall; readonly foci: readonly FocusOfPayer[]; readonly patient: Patient | undefined; readonly ownPrefetch: Readonly<Record<string, string>>; readonly writer: AnswerWriter; readonly deadline: () => AbortSignal }): Promise<PayersAnswers> | undefined;
}

type PayerWithService = Payer & { readonly crd: PayerCrdService };

export function createDelegation(services: PayerServices, onEvent: (event: DelegationEvent) => void): Delegation {
  return {
    begin({ call, foci, patient, ownPrefetch, writer, deadline }) {
      const payers = new Map(foci.flatMap(({ payer }) => (payer && hasService(payer) ? [[payer.id, payer] as const] : [])));
      if (payers.size === 0) return undefined;
      const considered = new Set([...call.named, ...[...call.orders, ...call.appointments, ...foci.map(({ resource }) => resource)].flatMap((resource) => referenceTo(resource) ?? [])]);
      const ask = async (payer: PayerWithService, about: readonly FocusOfPayer[]): Promise<Asked> => {
        const coverages = [...new Map(about.flatMap(({ coverageResource }) => (coverageResource ? [[coverageResource.id, coverageResource] as const] : []))).values()];
        const reply = await services.ask(payer, { call, foci: about, considered, coverages, patient, ownPrefetch }, writer, deadline());
        onEvent({ payerId: payer.id, outcome: reply.kind === 'answered' ? 'answered' : reply.why, faults: reply.kind === 'answered' ? reply.faults : [] });
        return { about, reply };
      };
      const asking = [...payers.values()].flatMap((payer) => {
        const ofPayer = foci.filter((focus) => focus.payer?.id === payer.id);
        return callsFor(call.hook, payer, ofPayer).map(async (calls) => {
          const asked: Asked[] = [];
          for (const about of calls) asked.push(await ask(payer, about));
          return asked;
        });
      });
      return Promise.all(asking).then((asked) => answersOf(asked.flat()));
    },
  };
}

interface Asked {
  readonly about: readonly FocusOfPayer[];
  readonly reply: PayersReply;
}

/** Calls to one payer at once. */
const LANES = 8;

/** order-dispatch 1.0 (CRD 2.0.1) has room for one order, so each is a call of its own, a few at a time; any other hook takes all in one. In lanes of calls that follow one another. */
function callsFor(hook: HookCall['hook'], { crd }: PayerWithService, foci: readonly FocusOfPayer[]): readonly (readonly (readonly FocusOfPayer[])[])[] {
  if (hook !== 'order-dispatch' || crd.version !== '2.0') return [[foci]];
  const calls = foci.map((focus) => [focus]);
  return Array.from({ length: Math.min(LANES, calls.length) }, (_, lane) => calls.filter((_call, index) => index % LANES === lane));
}

function hasService(payer: Payer): payer is PayerWithService {
  return payer.crd !== undefined;
}

function answersOf(asked: readonly Asked[]): PayersAnswers {
  const replies = new Map(asked.flatMap(({ about, reply }) => about.map(({ resource }) => [referenceTo(resource), reply])));
  return {
    cards: asked.flatMap(({ reply }) => (reply.kind === 'answered' ? reply.cards : [])),
    merged(focus) {
      const reference = referenceTo(focus.focus);
      const reply = replies.get(reference);
      if (!reply) return { focus, source: 'library' };
      const requirement = reply.kind === 'answered' ? reply.requirements.get(reference ?? '') : undefined;
      if (requirement) return { focus: { ...focus, byPayer: true, determination: { ...focus.determination, requirement } }, source: 'payer' };
      return { focus: { ...focus, determination: withReason(focus.determination, WHY_INSTEAD[reply.kind === 'answered' ? 'unusable' : reply.why]) }, source: 'library-instead' };
    },
  };
}

const OURS = 'this answer is from its published policies';
const WHY_INSTEAD: { readonly [W in NoAnswer | 'unusable']: string } = {
  late: `The payer's own service did not answer in time; ${OURS}.`,
  down: `The payer's own service could not be reached; ${OURS}.`,
  wrong: `The payer's own service gave no readable answer; ${OURS}.`,
  'not-admitted': `The payer's own service did not admit this one; ${OURS}.`,
  resting: `The payer's own service is out of order; ${OURS}.`,
  refused: `The payer's own service did not take the call; ${OURS}.`,
  'not-offered': `The payer's own service does not answer at this step; ${OURS}.`,
  unusable: `The payer's own service gave no answer to this order that can be used; ${OURS}.`,
};
