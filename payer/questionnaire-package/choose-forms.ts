import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { z } from 'zod';
import { canonicalCodeSystem } from '#fhir/base/code-systems.ts';
import type { OutcomeIssue } from '#fhir/base/operation-outcome.ts';
import { type ReceivedCoverageInformation, readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { PayerError } from '../payer-error.ts';
import type { DtrVersion } from '../questionnaires/dtr-version.ts';
import type { FormLibrary, PayerForm } from '../questionnaires/form-library.ts';
import type { PackageRequest } from './package-request.ts';

const PolicyForms = z.object({
  revisions: z.array(z.object({
    effectiveFrom: z.iso.date(),
    effectiveTo: z.iso.date().optional(),
    services: z.array(z.object({ system: z.string(), codes: z.array(z.string()) })),
    questionnaires: z.array(z.string()),
  })),
});

export type FormsByService = (coding: { readonly system: string; readonly code: string }, day: string) => readonly string[];

/** Which questionnaires the policies in force on a day ask for a service. */
export function readFormsByService(policyFolder: string): FormsByService {
  const revisions = readdirSync(policyFolder).filter((file) => file.endsWith('.json')).flatMap((file) => {
    const parsed = PolicyForms.safeParse(JSON.parse(readFileSync(join(policyFolder, file), 'utf8')));
    if (!parsed.success) throw new Error(`The policy file ${file} cannot be used: ${z.prettifyError(parsed.error)}`);
    return parsed.data.revisions;
  });
  return ({ system, code }, day) => revisions
    .filter(({ effectiveFrom, effectiveTo }) => effectiveFrom <= day && (effectiveTo === undefined || day <= effectiveTo))
    .filter(({ services }) => services.some((service) => service.system === system && service.codes.includes(code)))
    .flatMap(({ questionnaires }) => questionnaires);
}

export interface ChosenForms {
  readonly forms: readonly PayerForm[];
  readonly warnings: readonly OutcomeIssue[];
}

export interface ChoosingSetting {
  readonly library: FormLibrary;
  readonly byService: FormsByService;
  /** The form that a determination of this payer rests on, by its coverage-assertion-id. */
  readonly byAssertion: (assertionId: string) => Promise<string | undefined>;
  /** YYYY-MM-DD. */
  readonly day: string;
}

/**
 * The union of what the names, the codes of the orders and the context ask for, each form once. A form past its time goes out only when it is named.
 * PayerError 422 for a context that is not known: in 2.2.0 always, in 2.0.1 when nothing else is asked by.
 */
export async function chooseForms(request: PackageRequest, { version }: DtrVersion, { library, byService, byAssertion, day }: ChoosingSetting): Promise<ChosenForms> {
  const { context, orders, questionnaires, changedSince } = request;
  const asserted = context === undefined ? [] : await formsOfAssertion(context, orders, byAssertion);
  if (asserted === undefined && (version === '2.2.0' || orders.length + questionnaires.length === 0)) throw unknownContext();

  const implied = [...orders.flatMap(codingsOf).flatMap((coding) => byService(coding, day)), ...(asserted ?? [])];
  const named = lookUp(questionnaires, library);
  const found = lookUp(implied, library);
  const forms = [...new Set([...named.forms, ...found.forms.filter((form) => inForce(form, day))])];
  const since = changedSince === undefined ? undefined : new Date(changedSince).toISOString().slice(0, 10);
  // Days are all that is known of a change: one on the day of `changedsince` may have come after it.
  const fresh = since === undefined ? forms : forms.filter(({ changed }) => changed >= since);
  return {
    forms: fresh,
    warnings: [
      ...[...named.missing, ...found.missing].map((canonical) => warning('not-found', `The questionnaire ${canonical} is not available here.`)),
      ...named.forms.filter((form) => isExpired(form, day)).map(({ questionnaire }) => warning('business-rule', `The questionnaire ${questionnaire.url}|${questionnaire.version} has expired: it was to be used until ${questionnaire.effectivePeriod?.end?.slice(0, 10)}. Ask again with the order, without naming it.`)),
      ...fresh.flatMap(({ questionnaire, unresolved }) => unresolved.map((canonical) => warning('not-found', `The questionnaire ${questionnaire.url}|${questionnaire.version} needs ${canonical}, which is not available here.`))),
      ...(forms.length === 0 && questionnaires.length === 0 && orders.some(wantsDocumentation) ? [warning('not-found', 'Documentation is asked for on the order, but no form here covers it. Send the clinical note that supports the order with the request, or call the payer.')] : []),
    ],
  };
}

/** Of an assertion that this payer gave itself, or that the coverage information on an order carries: it was given in this payer's name. Undefined when it is neither. */
async function formsOfAssertion(assertionId: string, orders: readonly Resource[], byAssertion: ChoosingSetting['byAssertion']): Promise<readonly string[] | undefined> {
  const own = await byAssertion(assertionId);
  if (own !== undefined) return [own];
  const carried = orders.flatMap(coverageInformationOf).filter((information) => information.assertionId === assertionId);
  return carried.length === 0 ? undefined : carried.flatMap(({ questionnaires }) => questionnaires);
}

function unknownContext(): PayerError {
  return new PayerError(422, { code: 'not-found', text: 'This context is not known here. Send the order, or the questionnaires that its coverage information names, without the context.', expression: 'Parameters.parameter' });
}

function lookUp(canonicals: readonly string[], library: FormLibrary): { forms: PayerForm[]; missing: string[] } {
  const found = [...new Set(canonicals)].map((canonical) => ({ canonical, form: library.find(canonical) }));
  return { forms: found.flatMap(({ form }) => form ?? []), missing: found.filter(({ form }) => !form).map(({ canonical }) => canonical) };
}

function isExpired({ questionnaire }: PayerForm, day: string): boolean {
  const end = questionnaire.effectivePeriod?.end?.slice(0, 10);
  return end !== undefined && end < day;
}

function inForce(form: PayerForm, day: string): boolean {
  const start = form.questionnaire.effectivePeriod?.start?.slice(0, 10);
  return !isExpired(form, day) && (start === undefined || start <= day);
}

function wantsDocumentation(order: Resource): boolean {
  return coverageInformationOf(order).some(({ docNeeded }) => docNeeded.some((code) => code !== 'no-doc'));
}

function coverageInformationOf(order: Resource): ReceivedCoverageInformation[] {
  return 'extension' in order ? readCoverageInformation({ extension: order.extension }) : [];
}

function warning(code: OutcomeIssue['code'], diagnostics: string): OutcomeIssue {
  return { severity: 'warning', code, diagnostics };
}

function codingsOf(order: Resource): { system: string; code: string }[] {
  const concepts = [read(order, 'code'), read(order, 'codeCodeableConcept'), read(order, 'medicationCodeableConcept'), read(order, 'itemCodeableConcept')];
  return concepts.flatMap((concept) => {
    const codings = read(concept, 'coding');
    return (Array.isArray(codings) ? codings : []).flatMap((coding: unknown) => {
      const [system, code] = [read(coding, 'system'), read(coding, 'code')];
      return typeof system === 'string' && typeof code === 'string' ? [{ system: canonicalCodeSystem(system), code: code.trim() }] : [];
    });
  });
}

function read(from: unknown, key: string): unknown {
  return typeof from === 'object' && from !== null && key in from ? (from as Record<string, unknown>)[key] : undefined;
}
