import { splitCanonical } from '../base/canonical.ts';
import type { TypeFacts } from '../tables/table-format.ts';
import { bindingFinding } from './bindings.ts';
import { childPlan, isPrimitiveType } from './child-plan.ts';
import { claimedProfiles } from './claimed-profiles.ts';
import type { CodeMembership } from './code-membership.ts';
import { namesNoCodeSystem } from './code-system-names.ts';
import { contextAllows, insideExtension } from './extension-context.ts';
import { invariantsOf, typeUrl, type ElementNode, type Forest, type StructureTree } from './element-tree.ts';
import { cardinality, expectedTypes, sliceWords, stepName } from './element-words.ts';
import { evaluateInvariant } from './invariants.ts';
import { isKnownDefect } from './known-defects.ts';
import { equalValues, isObject, matchesPattern, type JsonObject } from './json-values.ts';
import { occurrencesOf, type Occurrence } from './occurrences.ts';
import { atElementOf, atTarget, hasExtensions, insideResource, isResource, outermost, resolveAt, type Place } from './place.ts';
import { primitiveProblem } from './primitives.ts';
import { typeInReference } from './references.ts';
import type { IssueCode, ValidationIssue } from './report.ts';
import { sliceOf, type SliceResolution } from './slices.ts';

/** What one guide offers to a walk. */
export interface Guide {
  readonly forest: Forest;
  readonly membership: CodeMembership;
}

const RESOURCE_TYPES_OF_ANY = new Set(['Resource', 'DomainResource']);
const CORE_EXTENSION = typeUrl('Extension');

/** What has been found of a resource against a profile, in one validation. */
type Conformance = Map<JsonObject, Map<string, readonly ValidationIssue[]>>;

/** Holds an instance against snapshot trees and collects what it finds. */
export class Walk {
  readonly issues: ValidationIssue[] = [];
  readonly #guide: Guide;
  readonly #conformance: Conformance;
  /** Any element may carry extensions; the tables only hold what a profile says about them. */
  readonly #anyExtension: ElementNode;
  readonly #anyElement: ElementNode;

  constructor(guide: Guide, conformance: Conformance = new Map()) {
    this.#guide = guide;
    this.#conformance = conformance;
    const element = guide.forest.tree('Element');
    if (!element) throw new Error('the R4 core table has no Element');
    this.#anyElement = element.root;
    this.#anyExtension = {
      facts: { id: 'Element.extension', max: '*', array: true, types: [{ code: 'Extension' }] },
      name: 'extension',
      path: 'Element.extension',
      children: new Map(),
      slices: [],
      tree: element,
    };
  }

  /** The outermost resource, against each of the profiles. */
  start(resource: JsonObject, trees: readonly StructureTree[]): void {
    const path = String(resource['resourceType']);
    for (const tree of trees) this.#resource(resource, tree, path, outermost(resource));
  }

  #add(severity: ValidationIssue['severity'], code: IssueCode, path: string, message: string): void {
    this.issues.push({ severity, code, path, message, ...(code.endsWith('-not-verified') ? { notVerified: true as const } : {}) });
  }

  #resource(value: JsonObject, tree: StructureTree, path: string, place: Place): void {
    const type = String(value['resourceType']);
    if (tree.facts.type !== type) {
      const own = RESOURCE_TYPES_OF_ANY.has(tree.facts.type) ? this.#guide.forest.tree(type) : undefined;
      if (own) this.#resource(value, own, path, place);
      else this.#add('error', 'profile-wrong-type', path, `is a ${type}, but ${tree.facts.url} is for ${tree.facts.type}`);
      return;
    }
    this.#invariants(value, tree.root.path, invariantsOf(tree.root), path, place);
    this.#children(value, tree.root, path, place);
  }

  #invariants(value: unknown, base: string, invariants: ReturnType<typeof invariantsOf>, path: string, place: Place): void {
    for (const invariant of invariants) {
      const result = evaluateInvariant(invariant, base, value, place);
      if (result.kind === 'fails') {
        this.#add(invariant.severity, 'invariant', path, `breaks rule ${invariant.key}: ${invariant.expression}`);
      } else if (result.kind === 'not-evaluated') {
        this.#add('information', 'invariant-not-verified', path, `rule ${invariant.key} could not be evaluated (${result.why}): ${invariant.expression}`);
      }
    }
  }

  #children(object: JsonObject, source: ElementNode, path: string, place: Place): void {
    const plan = childPlan(source);
    const seen = new Set<ElementNode>();
    let count = 0;
    for (const [key, value] of Object.entries(object)) {
      count += 1;
      if (key === 'resourceType' && source.tree.root === source && source.tree.facts.kind === 'resource') continue;
      const name = key.startsWith('_') ? key.slice(1) : key;
      const planned = plan.byKey.get(name);
      if (planned) {
        const { child, type } = planned;
        if (name !== key && (type === undefined || !isPrimitiveType(type))) {
          this.#add('error', 'unknown-element', `${path}.${key}`, `${key} is only for primitive elements; put the extension inside ${name}`);
          continue;
        }
        if (name !== key && object[name] !== undefined) continue;
        if (seen.has(child)) {
          this.#add('error', 'choice-repeated', `${path}.${stepName(child)}`, `has more than one value; keep one of the ${child.name} keys`);
          continue;
        }
        seen.add(child);
        this.#element(child, type, name === key ? value : undefined, object[`_${name}`], `${path}.${stepName(child)}`, place);
      } else if (key === 'extension') {
        this.#element(this.#anyExtension, 'Extension', value, undefined, `${path}.extension`, place);
      } else if (key === 'id') {
        if (typeof value !== 'string' || value === '') this.#add('error', 'wrong-json-type', `${path}.id`, 'must be text that is not empty');
      } else {
        this.#unknownKey(key, name, plan.choices, source, path);
      }
    }
    if (count === 0) this.#add('error', 'empty', path, 'is an empty object; leave the element out or give it content');
    for (const child of plan.required) {
      if (!seen.has(child)) {
        this.#add('error', 'cardinality-min', `${path}.${stepName(child)}`, `is missing; ${source.tree.facts.url} needs ${cardinality(child)}${expectedTypes(child)}`);
      }
    }
  }

  #unknownKey(key: string, name: string, choices: ReturnType<typeof childPlan>['choices'], source: ElementNode, path: string): void {
    const choice = choices.find(({ stem }) => name.startsWith(stem) && /^[A-Z]/.test(name.slice(stem.length)));
    if (choice) {
      const allowed = choice.child.facts.types?.map(({ code }) => code).join(', ') ?? '';
      this.#add('error', 'type-not-allowed', `${path}.${choice.stem}`, `${name} is not allowed here by ${source.tree.facts.url}; allowed types: ${allowed || 'none'}`);
      return;
    }
    this.#add('error', 'unknown-element', `${path}.${key}`, `is no element of ${source.path} in FHIR R4; remove it or correct its name`);
  }

  #element(node: ElementNode, type: string | undefined, value: unknown, companion: unknown, path: string, place: Place): void {
    const occurrences = occurrencesOf(node, { value, companion, path, type }, (code, message) => this.#add('error', code, path, message));
    if (!occurrences) return;
    const { min = 0, max = 1 } = node.facts;
    const { url } = node.tree.facts;
    if (occurrences.length < min) this.#add('error', 'cardinality-min', path, `occurs ${occurrences.length} times; ${url} needs ${cardinality(node)}`);
    if (max !== '*' && occurrences.length > max) {
      this.#add('error', 'cardinality-max', path, max === 0 ? `must not be there (${url})` : `occurs ${occurrences.length} times; ${url} allows ${cardinality(node)}`);
    }
    if (node.slices.length === 0) for (const occurrence of occurrences) this.#value(occurrence, node, place);
    else this.#sliced(occurrences, node, path, place);
  }

  #sliced(occurrences: readonly Occurrence[], node: ElementNode, path: string, place: Place): void {
    const counts = new Map<ElementNode, number>();
    const resolution = this.#sliceResolution(place);
    for (const occurrence of occurrences) {
      const slice = sliceOf(occurrence, node, resolution);
      if (slice) counts.set(slice, (counts.get(slice) ?? 0) + 1);
      else if (node.facts.slicing?.rules === 'closed') {
        const names = node.slices.map(({ sliceName }) => sliceName).join(', ');
        this.#add('error', 'slice-closed', occurrence.path, `fits none of ${names}, and ${node.tree.facts.url} allows no other`);
      }
      this.#value(occurrence, slice ?? node, place);
    }
    for (const slice of node.slices) {
      const count = counts.get(slice) ?? 0;
      const { min = 0, max = 1 } = slice.facts;
      const how = sliceWords(slice);
      if (count < min) this.#add('error', 'slice-min', path, `has ${count}; ${node.tree.facts.url} needs ${how}`);
      if (max !== '*' && count > max) this.#add('error', 'slice-max', path, `has ${count}; ${node.tree.facts.url} allows ${how}`);
    }
  }

  #sliceResolution(place: Place): SliceResolution {
    return {
      ...this.#guide,
      resolve: (reference) => resolveAt(place, reference),
      conforms: (value, profile) => isObject(value) && this.#problems(value, profile, '', place)?.length === 0,
    };
  }

  #value({ value, companion, path, type }: Occurrence, node: ElementNode, place: Place): void {
    if (companion !== undefined && companion !== null) {
      if (isObject(companion)) this.#children(companion, this.#anyElement, path, atElementOf(place, node, type));
      else this.#add('error', 'wrong-json-type', path, 'its companion with "_" must be an object with id or extension');
    }
    if (value === undefined || value === null) {
      if (companion === undefined || companion === null) this.#add('error', 'empty', path, 'is null; leave the element out or give it a value');
      return;
    }
    const { facts } = node;
    if (facts.fixed !== undefined && !equalValues(facts.fixed, value)) {
      this.#add('error', 'fixed-value', path, `must be ${JSON.stringify(facts.fixed)} (${node.tree.facts.url})`);
    }
    if (facts.pattern !== undefined && !matchesPattern(facts.pattern, value)) {
      this.#add('error', 'pattern', path, `must contain ${JSON.stringify(facts.pattern)} (${node.tree.facts.url})`);
    }
    const wanted = isResource(value) ? value.resourceType : type;
    const typeFacts = facts.types?.find(({ code }) => code === wanted) ?? facts.types?.find(({ code }) => code === type) ?? facts.types?.[0];
    if (typeFacts && isPrimitiveType(typeFacts.code)) this.#primitive(value, typeFacts.code, node, path, place);
    else if (isObject(value)) this.#complex(value, typeFacts, node, path, place);
    else this.#add('error', 'wrong-json-type', path, `must be an object of type ${typeFacts?.code ?? node.path}`);
  }

  #primitive(value: unknown, type: string, node: ElementNode, path: string, place: Place): void {
    const problem = primitiveProblem(type, value);
    if (problem) {
      this.#add('error', problem.code, path, `is no valid ${type}: expected ${problem.expected}`);
      return;
    }
    const { maxLength, minValue, maxValue, binding } = node.facts;
    if (maxLength !== undefined && typeof value === 'string' && value.length > maxLength) {
      this.#add('error', 'value-range', path, `has ${value.length} characters; ${node.tree.facts.url} allows ${maxLength}`);
    }
    if (typeof value === 'number' && ((typeof minValue === 'number' && value < minValue) || (typeof maxValue === 'number' && value > maxValue))) {
      this.#add('error', 'value-range', path, `is ${value}; ${node.tree.facts.url} allows ${minValue ?? ''} to ${maxValue ?? ''}`);
    }
    if (binding) this.#binding(binding, value, path);
    this.#invariants(value, type, invariantsOf(node, node.sliceOf), path, place);
  }

  #binding(binding: NonNullable<ElementNode['facts']['binding']>, value: unknown, path: string): void {
    const finding = bindingFinding(binding, value, this.#guide.membership);
    if (finding) this.#add(finding.severity, finding.code, path, finding.message);
  }

  #complex(value: JsonObject, type: TypeFacts | undefined, node: ElementNode, path: string, outer: Place): void {
    if (type && isResource(value) && this.#guide.forest.tree(type.code)?.facts.kind === 'resource') {
      this.#nested(value, type, node, path, outer);
      return;
    }
    if (type?.code === 'Extension') {
      this.#extension(value, type, node, path, outer);
      return;
    }
    const place = hasExtensions(value) ? atElementOf(outer, node, type?.code) : outer;
    if (node.facts.binding) this.#binding(node.facts.binding, value, path);
    if (type?.code === 'Coding') this.#coding(value, path);
    if (type?.code === 'Reference') this.#reference(value, type, path, place);
    const source = this.#guide.forest.childSource(node, type?.code);
    const typeRoot = type && this.#guide.forest.tree(type.code)?.root;
    const isBackbone = type === undefined || type.code === 'BackboneElement' || type.code === 'Element';
    this.#invariants(value, isBackbone ? (source ?? node).path.replaceAll('[x]', '') : type.code, invariantsOf(node, node.sliceOf, typeRoot), path, place);
    if (source) this.#children(value, source, path, place);
    for (const profile of type?.profiles ?? []) {
      const tree = this.#guide.forest.tree(profile);
      if (!tree) this.#unknownProfile(profile, path);
      else {
        this.#invariants(value, type?.code ?? '', invariantsOf(tree.root), path, place);
        this.#children(value, tree.root, path, place);
      }
    }
  }

  #coding({ system, code }: JsonObject, path: string): void {
    if (typeof system !== 'string' || typeof code !== 'string') return;
    if (namesNoCodeSystem(system)) {
      this.#add('error', 'code-system', `${path}.system`, `${system} is no code system: name the system, not a value set; those of X12 begin with https://codesystem.x12.org/`);
      return;
    }
    if (this.#guide.membership.inSystem(system, code) !== 'out') return;
    this.#add('warning', 'code-unknown', path, `${system} had no code ${code} when its list was packaged; check the code`);
  }

  #extension(value: JsonObject, type: TypeFacts, node: ElementNode, path: string, outer: Place): void {
    const hasValue = Object.keys(value).some((key) => key.startsWith('value') || key.startsWith('_value'));
    const hasParts = Array.isArray(value['extension']);
    if (hasValue === hasParts) {
      this.#add('error', 'extension-value', path, hasValue ? 'has a value and extensions; only one of them is allowed' : 'has neither a value nor extensions');
    }
    const { url } = value;
    const place = { ...outer, extensions: insideExtension(outer.extensions, typeof url === 'string' ? url : undefined) };
    const isModifier = node.name === 'modifierExtension';
    const profile = type.profiles?.[0] ?? (typeof url === 'string' && node.children.size === 0 ? url : undefined);
    const tree = profile?.includes(':') ? this.#guide.forest.tree(profile) : undefined;
    if (tree?.facts.type === 'Extension') {
      this.#context(tree, path, outer);
      this.#described(value, tree.root, path, place);
    }
    if (node.children.size > 0) this.#described(value, node, path, place);
    if (tree?.facts.type === 'Extension' || node.children.size > 0) return;
    const base = this.#guide.forest.tree('Extension');
    if (base) this.#described(value, base.root, path, place);
    if (typeof url !== 'string') return;
    if (url.includes(':')) {
      if (isModifier) this.#add('error', 'modifier-extension-unknown', path, `${url} is unknown, and a modifier extension changes the meaning: a receiver must refuse it`);
      else this.#add('information', 'extension-unknown', path, `${url} is in neither the guide in use nor those it builds on; its content was not looked at`);
    } else if (node.tree.facts.url !== CORE_EXTENSION) {
      // Inside an extension that nobody defined, a part cannot be judged by its url.
      this.#add('error', 'extension-part-unknown', path, `"${url}" is no part of the extension around it and no absolute URL`);
    }
  }

  #context({ facts: { url, context } }: StructureTree, path: string, { extensions }: Place): void {
    if (!context || contextAllows(context, extensions) || isKnownDefect('extension-context', url, extensions.names)) return;
    const allowed = context.map(({ expression }) => expression).join(', ');
    this.#add('error', 'extension-context', path, `${url} does not belong on ${extensions.names[0] ?? ''}; it may stand on ${allowed}`);
  }

  #described(value: JsonObject, source: ElementNode, path: string, place: Place): void {
    this.#invariants(value, 'Extension', invariantsOf(source), path, place);
    this.#children(value, source, path, place);
  }

  #reference(value: JsonObject, type: TypeFacts, path: string, place: Place): void {
    const { reference } = value;
    if (typeof reference !== 'string' || !type.targets?.length) return;
    const target = resolveAt(place, reference);
    const found = target?.['resourceType'] ?? typeInReference(reference) ?? value['type'];
    const allowed = type.targets.map((canonical) => this.#guide.forest.tree(canonical)?.facts.type);
    if (typeof found !== 'string' || allowed.some((name) => name === undefined || RESOURCE_TYPES_OF_ANY.has(name))) return;
    if (allowed.includes(found)) {
      if (target) this.#targetProfile(target, found, type.targets, path, place);
      return;
    }
    this.#add('error', 'reference-target', path, `points at a ${found}; allowed: ${[...new Set(allowed)].join(', ')}`);
  }

  /** A resource that is at hand must be what the reference promises, unless it says so itself and is held to it where it stands. */
  #targetProfile(target: JsonObject, found: string, targets: readonly string[], path: string, place: Place): void {
    const profiles = targets.map((canonical) => splitCanonical(canonical).url).filter((url) => this.#guide.forest.tree(url)?.facts.type === found);
    const claimed = claimedProfiles(target).map((canonical) => splitCanonical(canonical).url);
    if (profiles.includes(typeUrl(found)) || profiles.some((url) => claimed.includes(url))) return;
    const at = atTarget(target, place);
    let closest: readonly ValidationIssue[] | undefined;
    for (const url of profiles) {
      const problems = this.#problems(target, url, found, at) ?? [];
      if (problems.length === 0) return;
      if (!closest || problems.length < closest.length) closest = problems;
    }
    const [first] = closest ?? [];
    this.#add('error', 'reference-target-profile', path, `points at a ${found} that does not fit ${profiles.join(' or ')}: ${first?.path ?? ''} ${first?.message ?? ''}`);
  }

  /** A resource inside another: against the profiles its place demands, and those it claims itself. */
  #nested(value: JsonObject, type: TypeFacts, node: ElementNode, path: string, outer: Place): void {
    const place = insideResource(value, node.name === 'contained', outer);
    const demanded = type.profiles ?? [];
    const claimed = claimedProfiles(value).filter((profile) => this.#guide.forest.tree(profile)?.facts.type === value['resourceType']);
    const own = typeUrl(String(value['resourceType']));
    if (demanded.length) this.issues.push(...this.#bestOf(value, demanded, path, place));
    for (const profile of claimed.length || demanded.length ? claimed : [own]) {
      const tree = demanded.includes(profile) ? undefined : this.#guide.forest.tree(profile);
      if (tree) this.#resource(value, tree, path, place);
      else if (profile === own) this.#add('error', 'not-a-resource', path, `${String(value['resourceType'])} is no FHIR R4 resource type`);
    }
    if (type.code !== 'Resource' && type.code !== value['resourceType']) {
      this.#add('error', 'type-not-allowed', path, `is a ${String(value['resourceType'])}; allowed: ${type.code}`);
    }
    for (const profile of claimedProfiles(value)) if (!this.#guide.forest.tree(profile)) this.#unknownProfile(profile, path);
  }

  /** The findings against the profile that fits best. */
  #bestOf(value: JsonObject, profiles: readonly string[], path: string, place: Place): readonly ValidationIssue[] {
    let best: readonly ValidationIssue[] | undefined;
    for (const profile of profiles) {
      const walk = new Walk(this.#guide, this.#conformance);
      const tree = this.#guide.forest.tree(profile);
      if (!tree) {
        walk.#unknownProfile(profile, path);
      } else walk.#resource(value, tree, path, place);
      if (!best || errorCount(walk.issues) < errorCount(best)) best = walk.issues;
      if (errorCount(best) === 0) break;
    }
    return best ?? [];
  }

  /** Errors of a value against a profile; undefined when the profile is not known. */
  #problems(value: JsonObject, profile: string, path: string, place: Place): readonly ValidationIssue[] | undefined {
    const tree = this.#guide.forest.tree(profile);
    if (!tree) return undefined;
    const known = this.#conformance.get(value) ?? new Map<string, readonly ValidationIssue[]>();
    this.#conformance.set(value, known);
    const before = known.get(profile);
    if (before) return before;
    // Resources that refer to each other: the one being looked at is taken as fitting.
    known.set(profile, []);
    const walk = new Walk(this.#guide, this.#conformance);
    if (isResource(value)) walk.#resource(value, tree, path, place);
    else walk.#children(value, tree.root, path, place);
    const errors = walk.issues.filter(({ severity }) => severity === 'error');
    known.set(profile, errors);
    return errors;
  }

  #unknownProfile(profile: string, path: string): void {
    this.issues.push({
      severity: 'information',
      code: 'profile-unknown',
      path,
      message: `${splitCanonical(profile).url} is in neither the guide in use nor those it builds on; the resource was not held against it`,
      notVerified: true,
    });
  }
}

function errorCount(issues: readonly ValidationIssue[]): number {
  return issues.filter(({ severity }) => severity === 'error').length;
}
