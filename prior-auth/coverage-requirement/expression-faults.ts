import { parse } from 'fhirpath';
import { EVIDENCE_TYPES, type PolicyCriterion } from './policy.ts';
import { dateOf, expression } from './hold-criteria.ts';

/*
 * Whether an expression of a policy can work at all. Each is tried once on next to nothing: what the engine throws there, it throws at every call,
 * and the criterion would be unknown for ever without anybody hearing of it.
 */

interface Trial {
  /** For the message. */
  readonly on: string;
  readonly input: object;
  readonly variables: Readonly<Record<string, unknown>>;
}

interface Place {
  readonly trials: readonly Trial[];
  /** A condition gives true, false or nothing. */
  readonly isCondition: boolean;
}

const today = (): unknown => dateOf('2026-01-01');
const bundle = (...resources: readonly object[]): object => ({ resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) });

/** `record` of a criterion; undefined: nothing is wrong with it. */
export function recordFault({ record, evidence }: Pick<PolicyCriterion, 'record' | 'evidence'>): string | undefined {
  const types = EVIDENCE_TYPES.filter((resourceType) => evidence.some(({ type }) => type === resourceType));
  const trials = [
    { on: 'no evidence', input: bundle(), variables: { evidence: [], today: today() } },
    ...types.map((resourceType) => ({ on: `one empty ${resourceType}`, input: bundle({ resourceType }), variables: { evidence: [{ resourceType }], today: today() } })),
  ];
  return expressionFault(record, { trials, isCondition: true });
}

/** `submission` of a criterion: it has no variables. */
export function submissionFault(text: string): string | undefined {
  return expressionFault(text, { trials: [{ on: 'an empty bundle', input: bundle(), variables: {} }], isCondition: true });
}

/** `when.order` and `when.coverage` of a response, on resources of these types. */
export function whenFault(text: string, types: readonly string[]): string | undefined {
  return expressionFault(text, { trials: onTypes(types), isCondition: true });
}

/** `compute` of a change: it may give anything. */
export function computeFault(text: string, types: readonly string[]): string | undefined {
  return expressionFault(text, { trials: onTypes(types), isCondition: false });
}

function onTypes(types: readonly string[]): readonly Trial[] {
  return types.map((resourceType) => ({ on: `an empty ${resourceType}`, input: { resourceType }, variables: { today: today() } }));
}

function expressionFault(text: string, { trials, isCondition }: Place): string | undefined {
  try {
    expression(text);
  } catch (error) {
    return `is no FHIRPath: ${engineWords(error)}`;
  }
  const [first] = trials;
  const unknown = first && (unknownVariable(text, first) ?? unknownFunction(text, first));
  if (unknown !== undefined) return unknown;
  for (const { on, input, variables } of trials) {
    try {
      const found = expression(text)(input, { ...variables }).find((each) => typeof each !== 'boolean');
      if (isCondition && found !== undefined) return `gives ${wordsFor(found)} on ${on}, and must give true, false or nothing: compare it with a value, or ask .exists()`;
    } catch (error) {
      return `cannot be evaluated, even on ${on}: ${engineWords(error)}`;
    }
  }
  return undefined;
}

/** Also where the engine does not come to it on an empty input. */
function unknownVariable(text: string, { input, variables }: Trial): string | undefined {
  const defined = [...text.matchAll(/defineVariable\(\s*'(\w+)'/g)].map(([, name]) => name);
  const unknown = [...withoutTexts(text).matchAll(/%(\w+)/g)].flatMap(([, name = '']) => (defined.includes(name) || Object.hasOwn(variables, name) || failure(`%${name}`, input, variables) === undefined ? [] : [name]))[0];
  const known = Object.keys(variables).map((name) => `%${name}`);
  return unknown === undefined ? undefined : `names %${unknown}, which is not there; ${known.length === 0 ? 'there are no variables here' : `there is ${known.join(' and ')}`}`;
}

/** Operators that may stand in front of a bracket. */
const OPERATORS = new Set(['and', 'or', 'xor', 'implies', 'in', 'contains', 'div', 'mod', 'is', 'as']);
const knownFunctions = new Set<string>(OPERATORS);

/** Each function is called once as it stands in the text, on nothing: the engine then says whether it has it. */
function unknownFunction(text: string, { input, variables }: Trial): string | undefined {
  const names = [...withoutTexts(text).matchAll(/([A-Za-z_]\w*)\s*\(/g)].flatMap(([, name = '']) => (knownFunctions.has(name) ? [] : [name]));
  if (names.length === 0) return undefined;
  const calls = callsIn(parse(text));
  for (const name of new Set(names)) {
    const message = failure(`{}.${name}(${calls.get(name) ?? ''})`, input, variables);
    if (message === `Not implemented: ${name}`) return `calls ${name}(), and FHIRPath has no such function: correct its name`;
    if (message?.startsWith('The asynchronous function')) return `calls ${name}(), which would ask a server; policies are weighed without one`;
    knownFunctions.add(name);
  }
  return undefined;
}

/** Parameters, as text, of the functions that a syntax tree of the engine calls. */
function callsIn(node: unknown, calls: Map<string, string> = new Map()): ReadonlyMap<string, string> {
  if (typeof node !== 'object' || node === null) return calls;
  const { type, text, children } = node as { readonly type?: unknown; readonly text?: unknown; readonly children?: readonly unknown[] };
  if (type === 'Functn' && typeof text === 'string') calls.set(text, (children?.[1] as { readonly children?: readonly { readonly text?: string }[] } | undefined)?.children?.map((each) => each.text ?? '{}').join(', ') ?? '');
  for (const child of children ?? []) callsIn(child, calls);
  return calls;
}

function failure(text: string, input: object, variables: Readonly<Record<string, unknown>>): string | undefined {
  try {
    expression(text)(input, { ...variables });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Without what stands in quotes and in comments. */
const withoutTexts = (text: string): string => text.replaceAll(/'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|\/\/.*/g, "''");

/** The engine's first line, without the list of all that could have stood there. */
function engineWords(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return line.replace(/^line: \d+; column: (\d+); message: /, 'column $1: ').replace(/ expecting .*$/, '').replace("'<EOF>'", 'the end');
}

function wordsFor(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return 'resourceType' in value ? `a ${String(value.resourceType)}` : 'an object';
}
