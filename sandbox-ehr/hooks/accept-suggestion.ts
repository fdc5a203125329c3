import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { FhirRefusal } from '../errors.ts';
import { accessOfScopes } from '../fhir/access.ts';
import type { Write } from '../fhir/repository.ts';
import { isFhirId, parseResource, type StoredResource } from '../fhir/structure.ts';
import { orderReference } from '../ui/order.ts';
import { UiRefusal } from '../ui/refusal.ts';
import type { SuggestedAction } from './ask-order-service.ts';
import { type HookAnswer, keepHookAnswer, lockHookAnswer, suggestionKey, withAccepted } from './order-answers.ts';
import type { SignOrderOptions } from './sign-order.ts';

export const acceptance = z.strictObject({ order: orderReference, cardUuid: z.string().max(100), suggestionUuid: z.string().max(100) });

export interface AcceptedSuggestion {
  /** References of what was written, and of what was taken back. */
  readonly written: readonly string[];
  readonly removed: readonly string[];
  /** The service that gave the card: it is told that its suggestion was taken. */
  readonly service: string;
}

/**
 * Does what a suggestion of a kept card says (CDS Hooks 2.0 §Suggestion: all of its actions, or none), inside this patient's record only.
 * Throws UiRefusal 404 when the card or suggestion is not kept or was taken before, 422 when an action cannot be done here.
 */
export async function acceptSuggestion(options: SignOrderOptions, user: string, patientId: string, input: z.infer<typeof acceptance>): Promise<AcceptedSuggestion> {
  const { repository, audit } = options;
  const access = accessOfScopes(user, 'patient/*.cruds', patientId);
  const { done, service } = await repository.transaction(async (inside) => {
    const { answer, card, suggestion } = findSuggestion(await lockHookAnswer(inside.db, input.order), input);
    await keepHookAnswer(inside.db, input.order, repository.now(), withAccepted(answer, [...(answer.accepted ?? []), suggestionKey(card, suggestion)]));
    return { done: await inside.write((suggestion.actions ?? []).map(writeOf), access), service: card.service };
  }).catch((error: unknown): never => {
    if (error instanceof FhirRefusal) throw refused();
    throw error;
  });
  const referenceOf = ({ type, id }: { readonly type: string; readonly id: string }): string => `${type}/${id}`;
  const written = done.filter(({ kind }) => kind === 'created' || kind === 'updated').map(referenceOf);
  const removed = done.filter(({ kind }) => kind === 'deleted' || kind === 'absent').map(referenceOf);
  audit.record({ action: 'ehr-suggestion-accepted', who: user, what: [...written, ...removed, `Patient/${patientId}`] });
  return { written, removed, service };
}

function findSuggestion(answer: HookAnswer | undefined, { cardUuid, suggestionUuid }: z.infer<typeof acceptance>) {
  const card = answer?.cards.find(({ uuid }) => uuid === cardUuid);
  const suggestion = card?.suggestions?.find(({ uuid }) => uuid === suggestionUuid);
  if (!answer || !card || !suggestion) throw new UiRefusal(404, 'SUGGESTION_NOT_FOUND', 'This suggestion is not there any more.', 'Ask the payer again.');
  if (answer.accepted?.includes(suggestionKey(card, suggestion))) throw new UiRefusal(404, 'SUGGESTION_NOT_FOUND', 'This suggestion was taken already.', 'Look in the list of orders.');
  return { answer, card, suggestion };
}

function writeOf(action: SuggestedAction): Write {
  if (action.type === 'delete') {
    const [type = '', id = ''] = String(action.resourceId).split('/');
    if (!orderReference.safeParse(`${type}/${id}`).success) throw refused();
    return { kind: 'delete', type, id };
  }
  if (action.type !== 'create' && action.type !== 'update') throw refused();
  const resource = readSuggested(action.resource);
  const id = action.type === 'update' && resource.id !== undefined && isFhirId(resource.id) ? resource.id : randomUUID();
  return { kind: 'put', resource: { ...resource, id } as StoredResource };
}

function readSuggested(resource: unknown): ReturnType<typeof parseResource> {
  try {
    return parseResource(resource);
  } catch (error) {
    if (error instanceof FhirRefusal) throw refused();
    throw error;
  }
}

const refused = (): UiRefusal => new UiRefusal(422, 'SUGGESTION_NOT_POSSIBLE', 'The suggestion cannot be done in this record.', 'Change the order by hand.');
