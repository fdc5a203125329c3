import { withoutSlashes } from '#fhir/base/reference.ts';
import type { Parameters, Questionnaire, QuestionnaireItem, ValueSet } from '@medplum/fhirtypes';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { AnswerOptionFound } from '#prior-auth/panel-api.ts';
import { findValueSet, valueSetsOf } from './package-faults.ts';
import type { QuestionnairePackage } from './package.ts';
import { type AuthorisedFetch, callOperation, operationUrl, type PayerAccess } from './payer-operation.ts';
import { answerResources, isResource } from './read-package.ts';

export interface FoundOptions {
  readonly options: readonly AnswerOptionFound[];
  readonly more: boolean;
}

export interface OptionSearch {
  /** Answers of one question whose words or code contain `filter`. Throws PAYER_UNAVAILABLE when no server answers in time. */
  search(access: PayerAccess, form: QuestionnairePackage, linkId: string, filter: string): Promise<FoundOptions>;
}

const PREFERRED_SERVER = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-preferredTerminologyServer';
const MOST_OPTIONS = 50;
/** A person waits while typing. */
const TIMEOUT_MS = 5_000;
const KEPT_MS = 10 * 60_000;
const MOST_KEPT = 500;

/** What the package expands is searched here; else the form's terminology servers are asked in turn, those of the payer's list and no others, and the payer itself last. */
export function createOptionSearch(now: () => number): OptionSearch {
  const kept = new Map<string, { readonly until: number; readonly found: FoundOptions }>();
  return {
    async search(access, form, linkId, filter) {
      const canonical = valueSetsOf(form.questionnaire).find((named) => named.linkId === linkId)?.canonical;
      if (canonical === undefined) return { options: [], more: false };
      const sent = findValueSet(canonical, form.questionnaire, form.valueSets);
      if (sent?.expansion?.contains && sent.expansion.total === undefined) return narrow(listed(sent), filter, false);
      if (sent?.expansion?.contains && (sent.expansion.total ?? 0) <= listed(sent).length) return narrow(listed(sent), filter, false);
      const key = JSON.stringify([access.payerId, canonical, filter.trim().toLowerCase()]);
      const known = kept.get(key);
      if (known && known.until > now()) return known.found;
      const found = await ask(serversOf(access, form.questionnaire, linkId), canonical.startsWith('#') ? (sent?.url ?? '') : canonical, filter, sent);
      if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value ?? '');
      kept.set(key, { until: now() + KEPT_MS, found });
      return found;
    },
  };
}

interface Server { readonly url: string; readonly fetch: AuthorisedFetch }

function serversOf(access: PayerAccess, questionnaire: Questionnaire, linkId: string): Server[] {
  const item = findItem(questionnaire.item, linkId);
  const named = [item, questionnaire].flatMap((element) => (element?.extension ?? []).filter(({ url }) => url === PREFERRED_SERVER).flatMap(({ valueUrl, valueUri }) => valueUrl ?? valueUri ?? []));
  const registered = (access.dtr.terminologyServers ?? []).map((server) => withoutSlashes(server));
  const preferred = [...new Set(named.map((server) => withoutSlashes(server)))].filter((server) => registered.includes(server) && server !== access.base);
  return [
    // A registered server gets no token of the payer's, and may not send us elsewhere.
    ...preferred.map((server) => ({ url: `${server}/ValueSet/$expand`, fetch: (url: string, init: RequestInit) => fetch(url, { ...init, redirect: 'error' }) })),
    { url: operationUrl(access, 'expand'), fetch: access.fetch },
  ];
}

function findItem(items: readonly QuestionnaireItem[] | undefined, linkId: string): QuestionnaireItem | undefined {
  for (const item of items ?? []) {
    const found = item.linkId === linkId ? item : findItem(item.item, linkId);
    if (found) return found;
  }
  return undefined;
}

/** Each server in turn; a person's words go in the body, never in an address that a server would log. */
async function ask(servers: readonly Server[], canonical: string, filter: string, sent: ValueSet | undefined): Promise<FoundOptions> {
  const [url = '', version] = canonical.split('|');
  const body: Parameters = {
    resourceType: 'Parameters',
    parameter: [
      ...(url ? [{ name: 'url', valueUri: url }] : []),
      ...(version ? [{ name: 'valueSetVersion', valueString: version }] : []),
      ...(sent && !sent.expansion && sent.compose ? [{ name: 'valueSet', resource: sent }] : []),
      ...(filter.trim() ? [{ name: 'filter', valueString: filter.trim() }] : []),
      { name: 'count', valueInteger: MOST_OPTIONS },
      { name: 'activeOnly', valueBoolean: true },
    ],
  };
  const refusals: number[] = [];
  let unavailable: PriorAuthError | undefined;
  for (const server of servers) {
    try {
      const reply = await callOperation(server.fetch, server.url, body, TIMEOUT_MS, 'a list of answers');
      if (reply.kind === 'refused') {
        refusals.push(reply.status);
        continue;
      }
      const expanded = answerResources(reply.body)?.find((resource): resource is ValueSet => isResource(resource, 'ValueSet'));
      const total = expanded?.expansion?.total;
      // A server that does not filter sends everything.
      if (expanded?.expansion) return narrow(listed(expanded), total !== undefined && total > MOST_OPTIONS ? '' : filter, total !== undefined && total > listed(expanded).length);
    } catch (error) {
      if (!(error instanceof PriorAuthError)) throw error;
      unavailable = error;
    }
  }
  throw new PriorAuthError('PAYER_UNAVAILABLE', `The payer’s list of answers cannot be searched now${refusals.length > 0 ? ` (${refusals.join(', ')})` : ''}.`, { cause: unavailable, retryable: true, nextStep: 'Try again in a moment, or enter the answer yourself.' });
}

type Contains = NonNullable<NonNullable<ValueSet['expansion']>['contains']>[number];

function listed(valueSet: ValueSet): AnswerOptionFound[] {
  return (valueSet.expansion?.contains ?? []).flatMap(function read(entry: Contains): AnswerOptionFound[] {
    const own = entry.code && !entry.abstract && !entry.inactive ? [{ ...(entry.system ? { system: entry.system } : {}), code: entry.code, display: entry.display ?? entry.code }] : [];
    return [...own, ...(entry.contains ?? []).flatMap(read)];
  });
}

function narrow(all: readonly AnswerOptionFound[], filter: string, more: boolean): FoundOptions {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const fitting = all.filter(({ code, display }) => words.every((word) => display.toLowerCase().includes(word) || code.toLowerCase().includes(word)));
  return { options: fitting.slice(0, MOST_OPTIONS), more: more || fitting.length > MOST_OPTIONS };
}
