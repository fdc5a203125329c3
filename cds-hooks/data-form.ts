import type { Resource } from '@medplum/fhirtypes';
import { type IssueCode, openValidator, type Validator } from '#fhir/validation/validator.ts';
import type { EhrReader } from './ehr-reader.ts';
import type { HookCall } from './hook-call.ts';
import { EVIDENCE } from './prefetch/record-queries.ts';
import { Refusal } from './refusal.ts';
import { ANSWER_WRITERS } from './versions/answer-writers.ts';

/*
 * Resources are not held against FHIR before they are read: that would cost every call what only a broken one needs. When an answer has
 * failed, this tells whether it was the data's form, and what can be answered in spite of it.
 */

const FORM: ReadonlySet<IssueCode> = new Set<IssueCode>(['not-a-resource', 'array-expected', 'array-not-allowed', 'empty', 'wrong-json-type']);
const CHART_KEYS: ReadonlySet<string> = new Set(Object.values(EVIDENCE).map(({ key }) => key));

let validator: Validator | undefined;

/** Where the resource has a value that JSON of FHIR does not have there; undefined: nowhere. */
function misshapenPlace(resource: Resource): string | undefined {
  validator ??= openValidator(['us-core-3.1.1']);
  return validator.validate(resource).issues.find(({ code }) => FORM.has(code))?.path;
}

/**
 * The call without the part of the chart that has a wrong form; it is then read, or said to be unchecked.
 * @throws Refusal when what the call is about, the patient or the coverage has a wrong form.
 */
export function withoutMisshapenChart(call: HookCall): HookCall {
  const given = Object.entries(call.prefetch);
  const needed = [...call.orders, ...call.appointments, ...given.flatMap(([key, value]) => (value && !CHART_KEYS.has(key) ? [value] : []))];
  const place = needed.map(misshapenPlace).find((found) => found !== undefined);
  if (place !== undefined) throw new Refusal(ANSWER_WRITERS[call.version].statusNotConforming, 'structure', `The value at ${place} is not of the form that FHIR gives it.`);
  return { ...call, prefetch: Object.fromEntries(given.filter(([key, value]) => !CHART_KEYS.has(key) || !value || misshapenPlace(value) === undefined)) };
}

/** Of what the FHIR server gives, that which has the form of FHIR: the rest could not be had. */
export function wellFormedReader(read: EhrReader): EhrReader {
  return async (query) => {
    const answer = await read(query);
    const resources = answer.resources.filter((resource) => misshapenPlace(resource) === undefined);
    if (resources.length === answer.resources.length) return answer;
    return { kind: resources.length > 0 ? 'part' : 'nothing', resources };
  };
}
