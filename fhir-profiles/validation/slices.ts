import { splitCanonical } from '../base/canonical.ts';
import type { Discriminator } from '../tables/table-format.ts';
import type { CodeMembership } from './code-membership.ts';
import type { ElementNode, Forest } from './element-tree.ts';
import { equalValues, isObject, matchesPattern } from './json-values.ts';
import { isResource } from './place.ts';

/** One value of an element, on its way to a slice. */
export interface SliceCandidate {
  readonly value: unknown;
  /** Type code by its choice key. */
  readonly type: string | undefined;
}

export interface SliceResolution {
  readonly forest: Forest;
  readonly membership: CodeMembership;
  /** The resource a literal reference means, when it is at hand. */
  readonly resolve: (reference: string) => unknown;
  readonly conforms: (value: unknown, profile: string) => boolean;
}

type SliceTest = (candidate: SliceCandidate, resolution: SliceResolution) => boolean;

const tests = new WeakMap<ElementNode, SliceTest>();

/** The first slice whose discriminators all hold. */
export function sliceOf(candidate: SliceCandidate, sliced: ElementNode, resolution: SliceResolution): ElementNode | undefined {
  return sliced.slices.find((slice) => {
    let test = tests.get(slice);
    if (!test) {
      test = sliceTest(slice, sliced, resolution.forest);
      tests.set(slice, test);
    }
    return test(candidate, resolution);
  });
}

function sliceTest(slice: ElementNode, sliced: ElementNode, forest: Forest): SliceTest {
  const discriminators = sliced.facts.slicing?.discriminators ?? [];
  if (discriminators.length === 0) return () => false;
  const each = discriminators.map((discriminator) => discriminatorTest(discriminator, slice, forest));
  return (candidate, resolution) => each.every((test) => test(candidate, resolution));
}

function discriminatorTest({ type, path }: Discriminator, slice: ElementNode, forest: Forest): SliceTest {
  const steps = pathSteps(path);
  switch (type) {
    case 'type':
      return typeTest(slice, steps, forest);
    case 'profile': {
      const profiles = target(slice, steps, forest)?.node.facts.types?.flatMap(({ profiles: own = [], targets = [] }) => [...own, ...targets]) ?? [];
      return (candidate, resolution) =>
        valuesAt(candidate.value, steps, resolution).some((value) => profiles.some((profile) => resolution.conforms(value, profile)));
    }
    case 'exists': {
      const wanted = target(slice, steps, forest)?.node.facts.max !== 0;
      return (candidate, resolution) => valuesAt(candidate.value, steps, resolution).length > 0 === wanted;
    }
    default:
      return valueTest(slice, steps, forest);
  }
}

/** `type` of `$this` goes by the choice key, of a resource by its resourceType. */
function typeTest(slice: ElementNode, steps: readonly Step[], forest: Forest): SliceTest {
  const codes = new Set(target(slice, steps, forest)?.node.facts.types?.map(({ code }) => code));
  return (candidate, resolution) => {
    if (steps.length === 0 && candidate.type !== undefined && !isResource(candidate.value)) return codes.has(candidate.type);
    return valuesAt(candidate.value, steps, resolution).some((value) => isResource(value) && codes.has(value.resourceType));
  };
}

type Expectation = (value: unknown, membership: CodeMembership) => boolean;

function valueTest(slice: ElementNode, steps: readonly Step[], forest: Forest): SliceTest {
  const url = steps.length === 1 && steps[0]?.name === 'url' ? extensionUrl(slice) : undefined;
  if (url !== undefined) return ({ value }) => isObject(value) && value['url'] === url;
  const expectations = expectationsAt(slice, steps, forest);
  // A slice that says nothing about its discriminator must not swallow everything.
  if (expectations.length === 0) return () => false;
  return (candidate, resolution) => {
    const values = valuesAt(candidate.value, steps, resolution);
    return expectations.every((expectation) => values.some((value) => expectation(value, resolution.membership)));
  };
}

/** What the element of the discriminator says; or else each slice that must be there on the way to it (`code.coding:SBPCode.code` in `bp`). */
function expectationsAt(slice: ElementNode, steps: readonly Step[], forest: Forest): Expectation[] {
  const found = target(slice, steps, forest);
  const own = found && expectationOf(found.node, found.expected, forest);
  if (own) return [own];
  const inner = steps.findIndex((_, index) => requiredSlices(slice, steps.slice(0, index + 1), forest).length > 0);
  return requiredSlices(slice, steps.slice(0, inner + 1), forest).flatMap((required) => expectationsAt(required, steps.slice(inner + 1), forest));
}

function requiredSlices(slice: ElementNode, steps: readonly Step[], forest: Forest): ElementNode[] {
  return steps.length === 0 ? [] : (target(slice, steps, forest)?.node.slices.filter(({ facts }) => facts.min) ?? []);
}

function extensionUrl(slice: ElementNode): string | undefined {
  const profile = slice.facts.types?.[0]?.profiles?.[0];
  if (profile !== undefined) return splitCanonical(profile).url;
  const fixed = slice.children.get('url')?.facts.fixed;
  return typeof fixed === 'string' ? fixed : undefined;
}

function expectationOf(node: ElementNode, expected: unknown, forest: Forest): Expectation | undefined {
  if (expected !== undefined) return (value) => matchesPattern(expected, value);
  const { fixed, pattern, binding } = node.facts;
  if (fixed !== undefined) return (value) => equalValues(fixed, value);
  if (pattern !== undefined) return (value) => matchesPattern(pattern, value);
  const inner = [...node.children].flatMap(([name, child]) => {
    const test = expectationOf(child, undefined, forest);
    return test && child.facts.min ? [[name, test] as const] : [];
  });
  if (inner.length) {
    return (value, membership) =>
      isObject(value) && inner.every(([name, test]) => asArray(value[name]).some((part) => test(part, membership)));
  }
  if (binding?.strength === 'required') return (value, membership) => mayBeBound(value, binding.valueSet, membership);
  return undefined;
}

/** In the set; or, for a set in no package, of the code system that X12 sets are named after (…/306 and …/005010/306). */
function mayBeBound(value: unknown, valueSet: string, membership: CodeMembership): boolean {
  const codings = isObject(value) && Array.isArray(value['coding']) ? value['coding'] : [value];
  return codings.some((coding: unknown) => {
    if (typeof coding === 'string') return membership.of(valueSet, undefined, coding) === 'in';
    if (!isObject(coding) || typeof coding['code'] !== 'string' || typeof coding['system'] !== 'string') return false;
    const found = membership.of(valueSet, coding['system'], coding['code']);
    return found === 'in' || (found === 'unknown' && lastStep(coding['system']) === lastStep(splitCanonical(valueSet).url));
  });
}

const lastStep = (url: string): string => url.slice(url.lastIndexOf('/') + 1);
const asArray = (value: unknown): unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

interface Step {
  readonly kind: 'child' | 'extension' | 'resolve' | 'ofType';
  readonly name: string;
}

/** The restricted FHIRPath of ElementDefinition.slicing.discriminator.path; `value as boolean` is an older spelling of `ofType`. */
function pathSteps(path: string): Step[] {
  if (path === '$this') return [];
  const steps: Step[] = [];
  for (const match of path.replace(/ as (\w+)$/, '.ofType($1)').matchAll(/extension\('([^']+)'\)|ofType\((\w+)\)|(resolve)\(\)|(\w+)/g)) {
    const [, extension, ofType, resolve, child] = match;
    if (extension !== undefined) steps.push({ kind: 'extension', name: extension });
    else if (ofType !== undefined) steps.push({ kind: 'ofType', name: ofType });
    else if (resolve !== undefined) steps.push({ kind: 'resolve', name: '' });
    else if (child !== undefined && child !== 'this') steps.push({ kind: 'child', name: child });
  }
  return steps;
}

/** The element a discriminator path leads to, and the part of an outer fixed value or pattern that falls on it. */
function target(slice: ElementNode, steps: readonly Step[], forest: Forest): { node: ElementNode; expected: unknown } | undefined {
  let node = slice;
  let expected: unknown = slice.facts.fixed ?? slice.facts.pattern;
  for (const { kind, name } of steps) {
    let next: ElementNode | undefined = node;
    if (kind === 'child') {
      next = forest.child(node, name);
      expected = [expected].flat().map((part) => (isObject(part) ? part[name] : undefined))[0];
    } else if (kind === 'extension') {
      const declared = node.children.get('extension')?.slices.find((candidate) => extensionUrl(candidate) === name);
      next = declared ?? forest.tree(name)?.root;
      expected = undefined;
    }
    if (!next) return expected === undefined ? undefined : { node, expected };
    node = next;
    expected ??= node.facts.fixed ?? node.facts.pattern;
  }
  return { node, expected };
}

function valuesAt(value: unknown, steps: readonly Step[], resolution: SliceResolution): unknown[] {
  let values: unknown[] = [value];
  for (const { kind, name } of steps) {
    values = values.flatMap((current) => {
      if (!isObject(current)) return kind === 'ofType' ? [current] : [];
      if (kind === 'child') return childValues(current, name);
      if (kind === 'extension') return asArray(current['extension']).filter((extension) => isObject(extension) && extension['url'] === name);
      if (kind === 'resolve') return typeof current['reference'] === 'string' ? asArray(resolution.resolve(current['reference'])) : [];
      return [current];
    });
  }
  return values;
}

/** `value` also finds `valueBoolean`. */
function childValues(object: Record<string, unknown>, name: string): unknown[] {
  if (object[name] !== undefined) return asArray(object[name]);
  const key = Object.keys(object).find((candidate) => candidate.startsWith(name) && /^[A-Z]/.test(candidate.slice(name.length)));
  return key === undefined ? [] : asArray(object[key]);
}
