import type { Resource } from '@medplum/fhirtypes';
import { referenceTo } from '#fhir/base/reference.ts';
import type { PolicyResponse } from '#prior-auth/coverage-requirement/policy-response.ts';
import type { PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import { mayNeedAuthorization } from '#prior-auth/coverage-requirement/requirement.ts';
import { readFocusService } from '#prior-auth/order/read-focus-service.ts';
import { cut, frameCard } from '../card-frame.ts';
import type { Configuration } from '../configuration.ts';
import type { DeterminedFocus } from '../determined-focus.ts';
import type { Action, Card, HookAnswer, Link, Suggestion } from '../hook-answer.ts';
import { type HookCall, PRIMARY_HOOKS } from '../hook-call.ts';
import type { AnswerWriter } from '../versions/answer-writer.ts';
import { OVERRIDE_REASONS } from '../override-reasons.ts';
import { topicOf, TOPIC_WORDS } from './card-topics.ts';
import { changedResource, draftedOrder } from './drafted-order.ts';
import { fillIn } from './fill-in.ts';
import { formTask } from './form-task.ts';
import { isGiven } from './when-given.ts';

export interface ResponseParts {
  readonly library: PolicyLibrary;
  readonly writer: AnswerWriter;
  readonly configuration: Pick<Configuration, 'wants'>;
  /** A fresh UUID for a suggestion. */
  readonly newId: () => string;
}

/** What of one response goes out: a card, or actions that the client takes without asking. */
type Given = { readonly kind: 'card'; readonly card: Card } | { readonly kind: 'actions'; readonly actions: readonly Action[] };
type Offer = Pick<Card, 'links'> | { readonly suggestions: readonly Suggestion[]; readonly selectionBehavior: 'at-most-one' | 'any' } | { readonly actions: readonly Action[] };
type Of<T extends PolicyResponse['type']> = Extract<PolicyResponse, { type: T }>;

interface Asking {
  readonly call: Pick<HookCall, 'hook' | 'orders' | 'patientId' | 'userId' | 'version'>;
  readonly parts: ResponseParts;
  /** Codes that are among the drafts or were offered by an earlier card of this answer. */
  readonly ordered: Set<string>;
  /** Corrections of coverages that this answer has made already: one coverage serves many orders. */
  readonly corrected: Set<string>;
}

/** What the policies answer besides coverage-information, for each order of a call. */
export function responsesTo(determined: readonly DeterminedFocus[], call: Asking['call'], parts: ResponseParts): readonly HookAnswer[] {
  const drafted = call.orders.flatMap((order) => readFocusService(order)?.codings.map(({ code }) => code) ?? []);
  const asking: Asking = { call, parts, ordered: new Set(drafted), corrected: new Set() };
  return determined.map((focus) => {
    const { applicable } = focus.determination;
    const own = (isSuperseded(focus) ? [] : (applicable?.revision.responses ?? [])).flatMap((response) => give(response, applicable?.policy.id ?? '', focus, asking) ?? []);
    const every = (parts.library.default.everyOrder ?? []).flatMap((response) => give(response, EVERY_ORDER, focus, asking) ?? []);
    const given = [...own, ...every];
    return {
      cards: given.flatMap((each) => (each.kind === 'card' ? [each.card] : [])),
      systemActions: given.flatMap((each) => (each.kind === 'actions' ? each.actions : [])),
    };
  });
}

/** The payer has said that no authorization is to be asked for: what our policy says on the way to one would contradict it, in its name. */
function isSuperseded({ byPayer, determination: { requirement: { paNeeded } } }: DeterminedFocus): boolean {
  return byPayer === true && !mayNeedAuthorization(paNeeded);
}

/** Stands for the policy's id where a response is to every order. */
export const EVERY_ORDER = 'every-order';

function give(response: PolicyResponse, policyId: string, focus: DeterminedFocus, asking: Asking): Given | undefined {
  const { writer, configuration } = asking.parts;
  const topic = topicOf(response);
  if (!configuration.wants(topic) || !isGiven(response.when, focus, asking.call.hook)) return undefined;
  const offer = offerOf(response, policyId, focus, asking);
  if (!offer) return undefined;
  if ('actions' in offer) return { kind: 'actions', actions: offer.actions };
  const card = frameCard({ focus, writer }, {
    kind: `${policyId}/${response.id}`,
    summary: fillIn(response.summary, focus, 'text'),
    detail: response.detail === undefined ? [] : [fillIn(response.detail, focus, 'markdown')],
    indicator: response.indicator ?? 'info',
    topic: writer.topic(topic, TOPIC_WORDS[topic]),
  });
  const overrideReasons = response.overrideReasons?.map((reason) => ({ system: OVERRIDE_REASONS, ...reason }));
  return { kind: 'card', card: { ...card, ...offer, ...(overrideReasons ? { overrideReasons } : {}) } };
}

/** Undefined where there is nothing left to offer: the response is then not given. */
function offerOf(response: PolicyResponse, policyId: string, focus: DeterminedFocus, asking: Asking): Offer | undefined {
  switch (response.type) {
    case 'external-reference':
      return links(response, focus);
    case 'instructions':
      return {};
    case 'launch-app':
      return appLink(response, focus);
    case 'propose-alternate':
      return alternatives(response, focus, asking);
    case 'additional-orders':
      return additionalOrders(response, focus, asking);
    case 'form-completion':
      return form(response, focus, asking);
    case 'update-coverage':
      return coverageChange(response, policyId, focus, asking);
  }
}

function links({ links: named }: Of<'external-reference'>, focus: DeterminedFocus): Offer | undefined {
  const { applicable } = focus.determination;
  const sources = applicable ? [applicable.revision.source, ...(applicable.revision.alsoBasedOn ?? [])].map(({ title, url }) => ({ label: title, url })) : [];
  const all = (named ?? sources).map(({ label, url }): Link => ({ label: fillIn(label, focus, 'text'), url, type: 'absolute' }));
  return all.length === 0 ? undefined : { links: all };
}

function appLink({ app: { label, url, context } }: Of<'launch-app'>, focus: DeterminedFocus): Offer {
  const appContext = context && JSON.stringify(Object.fromEntries(Object.entries(context).map(([key, text]) => [key, fillIn(text, focus, 'text')])));
  return { links: [{ label: fillIn(label, focus, 'text'), url, type: 'smart', ...(appContext === undefined ? {} : { appContext }) }] };
}

function alternatives({ alternatives: wanted }: Of<'propose-alternate'>, focus: DeterminedFocus, asking: Asking): Offer | undefined {
  const { focus: draft, today } = focus;
  const target = referenceTo(draft);
  if (target === undefined || !isDraft(draft, asking.call)) return undefined;
  const suggestions = wanted.flatMap(({ label, recommended, change, replaceBy }): Suggestion[] => {
    const words = fillIn(label, focus, 'text');
    const changed = change && changedResource(draft, change, today);
    if (changed) return [suggestion(words, recommended, [{ type: 'update', description: words, resource: changed }], asking)];
    const other = replaceBy?.resourceType === draft.resourceType && !isOrdered(replaceBy.code?.code, asking) ? draftedOrder(replaceBy, answered(focus, asking)) : undefined;
    if (!other) return [];
    return [suggestion(words, recommended, [{ type: 'delete', description: `Remove: ${cut(focus.service?.display ?? target, 200)}`, resourceId: target }, { type: 'create', description: words, resource: other }], asking)];
  });
  return suggested(suggestions, 'at-most-one');
}

function additionalOrders({ orders, together }: Of<'additional-orders'>, focus: DeterminedFocus, asking: Asking): Offer | undefined {
  const wanted = orders.flatMap(({ label, recommended, order }) => {
    if (isOrdered(order.code?.code, asking)) return [];
    const resource = draftedOrder(order, answered(focus, asking));
    const words = fillIn(label, focus, 'text');
    return resource ? [{ words, recommended, code: order.code?.code, action: { type: 'create', description: words, resource } satisfies Action }] : [];
  });
  for (const { code } of wanted) if (code !== undefined) asking.ordered.add(code);
  if (!together || wanted.length === 0) return suggested(wanted.map(({ words, recommended, action }) => suggestion(words, recommended, [action], asking)), 'any');
  const label = wanted.map(({ words }) => words).join(', ');
  return suggested([suggestion(label, wanted.some(({ recommended }) => recommended), wanted.map(({ action }) => action), asking)], 'any');
}

function form(wanted: Of<'form-completion'>, focus: DeterminedFocus, asking: Asking): Offer | undefined {
  const label = fillIn(wanted.label, focus, 'text');
  // CRD, hook categories: nothing asks for documents before a primary hook.
  if (!PRIMARY_HOOKS.has(asking.call.hook)) return undefined;
  const task = formTask(wanted, label, focus, asking.call.patientId, asking.parts.writer.version);
  if (!task) return undefined;
  const questionnaire = asking.parts.library.form(wanted.questionnaire);
  const actions: Action[] = [
    ...(questionnaire ? [{ type: 'create', description: `Add the form: ${questionnaire.title ?? questionnaire.url}`, resource: questionnaire, extension: { 'davinci-crd.if-none-exist': `url=${questionnaire.url}&version=${questionnaire.version}` } } satisfies Action] : []),
    { type: 'create', description: label, resource: task },
  ];
  return wanted.as === 'system-action' ? { actions } : suggested([suggestion(label, undefined, actions, asking)], 'any');
}

function coverageChange({ id, label, change, action = 'update', as }: Of<'update-coverage'>, policyId: string, focus: DeterminedFocus, asking: Asking): Offer | undefined {
  const { coverage, today } = focus;
  const key = `${policyId}/${id} ${coverage?.id}`;
  if (!coverage?.id || asking.corrected.has(key) || (action === 'create' && asking.call.version !== '2.0')) return undefined;
  const changed = changedResource(coverage, change, today);
  if (!changed) return undefined;
  // A client could apply one of two updates only, so the second becomes a card.
  const unasked = as === 'system-action' && !(action === 'update' && asking.corrected.has(coverage.id));
  asking.corrected.add(key);
  if (unasked) asking.corrected.add(coverage.id);
  const words = fillIn(label, focus, 'text');
  const { id: _id, meta: _meta, ...asNew } = changed;
  const actions: readonly Action[] = [{ type: action, description: words, resource: action === 'create' ? asNew : changed }];
  return unasked ? { actions } : suggested([suggestion(words, undefined, actions, asking)], 'any');
}

function suggestion(label: string, recommended: boolean | undefined, actions: readonly Action[], { parts }: Asking): Suggestion {
  return { label, uuid: parts.newId(), ...(recommended ? { isRecommended: true } : {}), actions };
}

/** Of alternatives one may be taken, so at most one is recommended. */
function suggested(suggestions: readonly Suggestion[], selectionBehavior: 'at-most-one' | 'any'): Offer | undefined {
  if (suggestions.length === 0) return undefined;
  const first = suggestions.findIndex(({ isRecommended }) => isRecommended);
  const within = selectionBehavior === 'any' ? suggestions : suggestions.map(({ isRecommended, ...rest }, i) => (isRecommended && i === first ? { ...rest, isRecommended } : rest));
  return { suggestions: within, selectionBehavior };
}

function answered({ focus: order, today, determination }: DeterminedFocus, { call }: Asking): Parameters<typeof draftedOrder>[1] {
  return { order, patientId: call.patientId, userId: call.userId, coverage: determination.requirement.coverage, today };
}

function isOrdered(code: string | undefined, { ordered }: Asking): boolean {
  return code !== undefined && ordered.has(code);
}

function isDraft(resource: Resource, { orders }: Asking['call']): boolean {
  return orders.some((order) => referenceTo(order) === referenceTo(resource));
}
