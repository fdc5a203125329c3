import type { Resource } from '@medplum/fhirtypes';
import { z } from 'zod';
import { referenceTo, relativeReference } from '#fhir/base/reference.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import { cut } from '../card-frame.ts';
import { newCardId } from '../card-id.ts';
import type { Action, Card, Link, Suggestion } from '../hook-answer.ts';
import type { AnswerWriter } from '../versions/answer-writer.ts';

const text = z.string().trim().min(1);
const looseList = <T extends z.ZodType>(item: T) => z.array(z.unknown()).catch([]).transform((given) => given.flatMap((each) => { const read = item.safeParse(each); return read.success ? [read.data] : []; }));
const action = z.object({ type: z.enum(['create', 'update', 'delete']), description: text.optional().catch(undefined), resource: z.looseObject({ resourceType: text }).optional(), resourceId: text.optional() });
const card = z.object({
  summary: text,
  detail: text.optional().catch(undefined),
  indicator: z.enum(['info', 'warning', 'critical']).catch('info'),
  source: z.object({ label: text, url: text.optional().catch(undefined), topic: z.object({ system: text, code: text, display: text.optional().catch(undefined) }).optional().catch(undefined) }),
  suggestions: looseList(z.object({ label: text, isRecommended: z.boolean().optional().catch(undefined), actions: looseList(action) })),
  selectionBehavior: z.enum(['at-most-one', 'any']).catch('at-most-one'),
  overrideReasons: looseList(z.object({ system: text, code: text, display: text })),
  links: looseList(z.object({ label: text, url: text, type: z.enum(['absolute', 'smart']), appContext: z.string().optional().catch(undefined) })),
  extension: z.looseObject({}).optional().catch(undefined),
});
const cards = looseList(card);

export interface CardsAsked {
  readonly payer: Payer;
  readonly patientId: string;
  /** What the call is about. */
  readonly foci: readonly Resource[];
  readonly writer: AnswerWriter;
}

const MAX_CARDS = 20;
const MAX_DETAIL = 10_000;
const MAX_LABEL = 200;

/** The payer's own cards, as far as they are of a form and about something that was asked. They keep their source. */
export function readPayersCards(given: unknown, asked: CardsAsked): readonly Card[] {
  const known = new Set(asked.foci.flatMap((focus) => referenceTo(focus) ?? []));
  return cards.parse(given).slice(0, MAX_CARDS).flatMap((each): readonly Card[] => {
    const { topic } = each.source;
    const named = referencesOf(each.extension).filter((reference) => known.has(reference));
    const suggestions = each.suggestions.flatMap((suggestion) => usable(suggestion, asked, known));
    const links = suggestions.length > 0 ? [] : each.links.filter(({ url }) => isSecure(url)).map(({ appContext, ...link }): Link => ({ ...link, ...(link.type === 'smart' && appContext !== undefined ? { appContext } : {}) }));
    // What it was about cannot be done here.
    if (each.suggestions.length > 0 && suggestions.length === 0 && links.length === 0) return [];
    const isCrdTopic = topic?.system === CRD_URLS.codesTemp || topic?.system === CRD_URLS.cardTypes;
    return [{
      uuid: newCardId(`payer/${asked.payer.id}`),
      summary: cut(each.summary, 139),
      detail: cut(withoutHtml((each.detail ?? each.summary).slice(0, 2 * MAX_DETAIL)), MAX_DETAIL),
      indicator: each.indicator,
      source: {
        label: cut(each.source.label, MAX_LABEL),
        ...(each.source.url && isSecure(each.source.url) ? { url: each.source.url } : {}),
        topic: topic && !isCrdTopic ? { system: topic.system, code: topic.code, ...(topic.display ? { display: topic.display } : {}) } : asked.writer.topic(topic?.code ?? 'insurance', topic?.display ?? 'Insurance'),
      },
      ...(suggestions.length > 0 ? { suggestions, selectionBehavior: each.selectionBehavior } : {}),
      ...(links.length > 0 ? { links } : {}),
      ...(each.overrideReasons.length > 0 ? { overrideReasons: each.overrideReasons } : {}),
      extension: { 'davinci-crd.associated-resource': asked.writer.associatedResources(named.length > 0 ? named : [...known]) },
    }];
  });
}

/** A card's detail is Markdown, HTML inside it nothing a payer needs. A sign of comparison is no tag: "SpO2 <88 % or PaO2 >55" stays. */
function withoutHtml(text: string): string {
  // What is left and could still begin a tag is written so that it begins none.
  return withoutComments(text).replace(/<\/?[a-z](?:[^<>"']|"[^"<]*"|'[^'<]*')*>/gi, (found) => (TAG.test(found) ? '' : found)).replace(/<(?=[a-z/!?])/gi, '&lt;');
}

const TAG = /^<\/?[a-z][a-z0-9-]*(?:\s+[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))*\s*\/?>$/i;

/** By steps that each go forward: whoever wrote the text may have meant to keep us busy. */
function withoutComments(text: string): string {
  let kept = '';
  let from = 0;
  for (let start = text.indexOf('<!--'); start >= 0; start = text.indexOf('<!--', from)) {
    const end = text.indexOf('-->', start + 4);
    if (end < 0) break;
    kept += text.slice(from, start);
    from = end + 3;
  }
  return kept + text.slice(from);
}

/** A suggestion is all or nothing: one action that reaches beyond the call's orders or the patient drops it. */
function usable({ label, isRecommended, actions }: { readonly label: string; readonly isRecommended?: boolean | undefined; readonly actions: readonly z.infer<typeof action>[] }, { patientId }: CardsAsked, known: ReadonlySet<string>): readonly Suggestion[] {
  const read = actions.map((each): Action | undefined => {
    const description = each.description ?? label;
    if (each.type === 'delete') return each.resourceId !== undefined && known.has(each.resourceId) ? { type: 'delete', description, resourceId: each.resourceId } : undefined;
    const resource = each.resource as Resource | undefined;
    if (!resource || !isOfPatient(resource, patientId) || (each.type === 'update' && !known.has(referenceTo(resource) ?? ''))) return undefined;
    return { type: each.type, description, resource };
  });
  const whole = read.filter((each) => each !== undefined);
  return whole.length === 0 || whole.length < read.length ? [] : [{ label: cut(label, 80), uuid: newCardId('suggestion'), ...(isRecommended === undefined ? {} : { isRecommended }), actions: whole }];
}

function isOfPatient(resource: Resource, patientId: string): boolean {
  const { subject, patient, beneficiary, for: forWhom } = resource as unknown as Readonly<Record<string, unknown>>;
  return [subject, patient, beneficiary, forWhom].every((of) => of === undefined || isReferenceTo(`Patient/${patientId}`, of));
}

/** Or to nobody by a literal. */
function isReferenceTo(patient: string, of: unknown): boolean {
  const { success, data } = z.looseObject({ reference: z.string().optional() }).safeParse(of);
  return success && (data.reference === undefined || relativeReference(data.reference) === patient);
}

/** Text up to 2.1, Reference from 2.2 on. */
function referencesOf(extension: Readonly<Record<string, unknown>> | undefined): readonly string[] {
  const given = extension?.['davinci-crd.associated-resource'];
  return (Array.isArray(given) ? given : []).flatMap((each: unknown) => {
    const reference = typeof each === 'object' && each !== null && 'reference' in each ? each.reference : each;
    return typeof reference === 'string' ? [reference] : [];
  });
}

function isSecure(url: string): boolean {
  return URL.parse(url)?.protocol === 'https:';
}
