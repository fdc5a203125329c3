import type { Bundle, Expression, ResourceType } from '@medplum/fhirtypes';
import { extensionsNamed } from '#prior-auth/questionnaire/item-definition.ts';
import { orderVariables } from '#prior-auth/questionnaire/order-variables.ts';
import type { WorkerResult } from './cql/worker-messages.ts';
import { type ItemExpression, rootVariables } from './form-expressions.ts';
import type { Engine, ExpressionResults } from './populate-cql.ts';
import type { PopulateInput, PopulationFailure } from './population.ts';
import { attempt, PATIENT_TYPES } from './read-records.ts';

const QUERY_LANGUAGE = 'application/x-fhir-query';
const TEMPLATE = /\{\{(.+?)\}\}/g;

/** Runs a form's FHIRPath, after the queries that its variables name (SDC population: launch context, then variables, then items). */
export async function populateFhirPath(input: PopulateInput, expressions: readonly ItemExpression[], engine: Engine): Promise<ExpressionResults> {
  if (expressions.length === 0) return { values: new Map(), evidence: new Map(), failures: [] };
  const failures: PopulationFailure[] = [];
  const declared = rootVariables(input.package.questionnaire);
  const launch = launchVariables(input);
  const queries = declared.filter(({ language }) => language === QUERY_LANGUAGE);
  const queried = await runQueries(queries, launch, input, engine, failures);
  const formulas = orderVariables(declared.filter(({ language }) => language === 'text/fhirpath'));
  const outcome = await engine.pool.run({
    kind: 'fhirpath',
    variables: { ...launch, ...queried },
    expressions: [
      ...formulas.map(({ name = '', expression = '' }) => ({ id: `variable:${name}`, name, expression })),
      ...expressions.flatMap(({ linkId, expression, evidence }) => [
        { id: `item:${linkId}`, expression: expression.expression ?? '' },
        ...(evidence?.expression ? [{ id: `evidence:${linkId}`, expression: evidence.expression }] : []),
      ]),
    ],
  });
  const results = new Map(outcome.results.map((result): [string, WorkerResult] => [result.id, result]));
  const values = new Map<string, readonly unknown[]>();
  const evidence = new Map<string, readonly unknown[]>();
  for (const { linkId } of expressions) {
    const result = results.get(`item:${linkId}`);
    if (result?.kind === 'value') {
      values.set(linkId, result.values);
      const source = results.get(`evidence:${linkId}`);
      evidence.set(linkId, source?.kind === 'value' ? source.values : result.values);
    } else {
      failures.push({ linkId, expression: linkId, kind: result?.reason ?? 'time-limit' });
    }
  }
  return { values, evidence, failures };
}

function launchVariables({ launch, package: { questionnaire } }: PopulateInput): Record<string, unknown> {
  const { patient, order, coverage, practitioner, encounter } = launch;
  const known: Record<string, unknown> = {
    patient, order, [order.resourceType]: order, ...(coverage ? { coverage } : {}), ...(practitioner ? { practitioner, user: practitioner } : {}), ...(encounter ? { encounter } : {}), questionnaire,
  };
  // A form may give the launch context names of its own: bound by type.
  for (const { extension } of extensionsNamed(questionnaire, 'launchContext')) {
    const name = extension?.find(({ url }) => url === 'name');
    const label = name?.valueCoding?.code ?? name?.valueId;
    const types = (extension ?? []).filter(({ url }) => url === 'type').map(({ valueCode }) => valueCode);
    const match = [patient, order, coverage, practitioner, encounter].find((resource) => resource && types.includes(resource.resourceType));
    if (label && match && !(label in known)) known[label] = match;
  }
  return known;
}

async function runQueries(
  queries: readonly Expression[], variables: Record<string, unknown>, input: PopulateInput, engine: Engine, failures: PopulationFailure[],
): Promise<Record<string, Bundle>> {
  const templates = [...new Set(queries.flatMap(({ expression = '' }) => [...expression.matchAll(TEMPLATE)].map(([, inner = '']) => inner)))];
  const filled = templates.length > 0
    ? await engine.pool.run({ kind: 'fhirpath', variables, expressions: templates.map((expression) => ({ id: expression, expression })) })
    : { results: [] };
  const texts = new Map(filled.results.map((result) => [result.id, result.kind === 'value' ? result.values.map(String).join(',') : '']));
  const read = await Promise.all(queries.map(async ({ name = '', expression = '' }): Promise<[string, Bundle]> => {
    const query = expression.replace(TEMPLATE, (_all, inner: string) => encodeURIComponent(texts.get(inner) ?? ''));
    const scoped = patientQuery(query, input.launch.patient.id ?? '');
    if (!scoped) failures.push({ expression: name, kind: 'data-unavailable' });
    const resources = scoped ? await attempt(() => input.ehr.search(scoped.type, scoped.parameters), scoped.type, failures, []) : [];
    return [name, { resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) }];
  }));
  return Object.fromEntries(read);
}

/** A payer's query never leaves the launched patient: the type must belong to a patient, and whatever patient it names is replaced by ours. */
export function patientQuery(query: string, patient: string): { readonly type: ResourceType; readonly parameters: Record<string, string> } | undefined {
  const [path = '', text = ''] = query.split('?');
  const type = PATIENT_TYPES.find((one) => one === path.replace(/^\//, ''));
  if (!type) return undefined;
  const given = [...new URLSearchParams(text)].filter(([name]) => !/^(patient|subject|beneficiary)([.:]|$)/.test(name) && !name.startsWith('_has') && !name.startsWith('_include') && !name.startsWith('_revinclude'));
  return { type, parameters: { ...Object.fromEntries(given), patient } };
}
