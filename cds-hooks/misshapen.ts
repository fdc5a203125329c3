import { openValidator, type Validator } from '#fhir/validation/validator.ts';
import type { OrderSignCall } from './order-sign-call.ts';
import { Refusal } from './refusal.ts';

const SHAPE_CODES: readonly string[] = ['not-a-resource', 'array-expected', 'array-not-allowed', 'empty', 'wrong-json-type'];
const MOST_NAMED = 5;

let validator: Validator | undefined;

/** Asked only when a call could not be answered: whether its own resources are at fault, by their JSON shape. Undefined: the fault is ours. */
export function misshapen({ draftOrders, prefetch }: OrderSignCall): Refusal | undefined {
  const checker = (validator ??= openValidator(['crd-2.0.1']));
  const given = [...draftOrders, ...Object.values(prefetch).filter((resource) => resource !== null)];
  const issues = given.flatMap((resource) => checker.validate(resource, {}).issues).filter(({ code }) => SHAPE_CODES.includes(code));
  if (issues.length === 0) return undefined;
  return new Refusal(422, 'structure', `Not shaped as FHIR R4: ${issues.slice(0, MOST_NAMED).map(({ code, path }) => `${path} (${code})`).join(', ')}`);
}
