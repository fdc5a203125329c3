import { openValidator, type Validator } from '#fhir/validation/validator.ts';
import type { OrderSignCall } from './order-sign-call.ts';
import { Refusal } from './refusal.ts';

const SHAPE_CODES: readonly string[] = ['not-a-resource', 'array-expected', 'array-not-allowed', 'empty', 'wrong-json-type'];
const MOST_NAMED = 5;
const DEEPEST = 200;

let validator: Validator | undefined;

/** Asked only when a call could not be answered: whether its own resources are at fault, by their JSON shape. Undefined: the fault is ours. */
export function misshapen({ draftOrders, prefetch }: OrderSignCall): Refusal | undefined {
  const given = [...draftOrders, ...Object.values(prefetch).filter((resource) => resource !== null)];
  if (isTooDeep(given)) return new Refusal(422, 'structure', `The call is nested deeper than ${DEEPEST} levels.`);
  const checker = (validator ??= openValidator(['crd-2.0.1']));
  const issues = given.flatMap((resource) => checker.validate(resource, {}).issues).filter(({ code }) => SHAPE_CODES.includes(code));
  if (issues.length === 0) return undefined;
  return new Refusal(422, 'structure', `Not shaped as FHIR R4: ${issues.slice(0, MOST_NAMED).map(({ code, path }) => `${path} (${code})`).join(', ')}`);
}

function isTooDeep(value: unknown): boolean {
  const waiting: [unknown, number][] = [[value, 0]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [each, depth] = next;
    if (typeof each !== 'object' || each === null) continue;
    if (depth > DEEPEST) return true;
    for (const child of Object.values(each)) waiting.push([child, depth + 1]);
  }
  return false;
}
