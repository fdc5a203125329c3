import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';

import type { ElementFacts, StructureFacts, TypeFacts } from './table-format.ts';

/** Checked by the walker itself, on every element, so not repeated in the tables. */
const NATIVE_INVARIANTS: ReadonlySet<string> = new Set(['ele-1', 'ext-1']);
/** Best practice or narrative markup; the validator's page says that they are not looked at. */
const IGNORED_INVARIANTS: ReadonlySet<string> = new Set(['dom-6', 'txt-1', 'txt-2']);

const KINDS = { 'primitive-type': 'primitive', 'complex-type': 'complex', resource: 'resource', logical: 'logical' } as const;

export function structureFacts(definition: StructureDefinition): StructureFacts | undefined {
  const elements = definition.snapshot?.element;
  if (!elements || definition.url === undefined || definition.type === undefined) return undefined;
  return {
    url: definition.url,
    table: 'structure',
    ...(definition.version === undefined ? {} : { version: definition.version }),
    type: definition.type.slice(definition.type.lastIndexOf('/') + 1),
    kind: KINDS[definition.kind],
    ...(definition.abstract ? { abstract: true as const } : {}),
    ...(definition.baseDefinition === undefined ? {} : { base: definition.baseDefinition }),
    ...(definition.context === undefined
      ? {}
      : { context: definition.context.map(({ type, expression }) => ({ type: type ?? 'element', expression: expression ?? '' })) }),
    elements: withInheritedTargets(elements.filter(saysSomething).map(elementFacts)),
  };
}

/** Every element may have `id` and `extension`; only what a profile adds to them is kept. */
function saysSomething(element: ElementDefinition): boolean {
  const id = element.id ?? '';
  const isRootChild = id.split('.').length === 2;
  if (id.endsWith('.id') && !isRootChild) return element.max === '0' || (element.min ?? 0) > 0;
  if (id.endsWith('.extension')) {
    const slicing = element.slicing?.rules;
    return (element.min ?? 0) > 0 || element.max !== '*' || slicing !== undefined;
  }
  return true;
}

function elementFacts(element: ElementDefinition): ElementFacts {
  const record = element as unknown as Record<string, unknown>;
  const valueOf = (prefix: string): unknown => record[Object.keys(record).find((key) => key.startsWith(prefix)) ?? ''];
  const max = element.max === '*' ? '*' : Number(element.max);
  const facts: Record<string, unknown> = { id: element.id };
  if (element.min) facts['min'] = element.min;
  if (max !== 1) facts['max'] = max;
  if ((element.base?.max ?? element.max) !== '1' && element.base?.max !== '0') facts['array'] = true;
  if (isResourceId(element)) facts['types'] = [{ code: 'id' }];
  else if (element.type?.length) facts['types'] = element.type.map(typeFacts);
  if (element.contentReference !== undefined) facts['contentReference'] = element.contentReference.replace(/^.*#/, '');
  const fixed = valueOf('fixed');
  if (fixed !== undefined) facts['fixed'] = fixed;
  const pattern = valueOf('pattern');
  if (pattern !== undefined) facts['pattern'] = pattern;
  const { binding, slicing } = element;
  if (binding?.valueSet !== undefined && (binding.strength === 'required' || binding.strength === 'extensible')) {
    facts['binding'] = { strength: binding.strength, valueSet: binding.valueSet };
  }
  if (slicing) {
    facts['slicing'] = {
      rules: slicing.rules ?? 'open',
      discriminators: (slicing.discriminator ?? []).map(({ type, path }) => ({ type, path })),
    };
  }
  const invariants = (element.constraint ?? [])
    .filter(({ key, expression }) => expression !== undefined && !NATIVE_INVARIANTS.has(key ?? '') && !IGNORED_INVARIANTS.has(key ?? ''))
    .map(({ key, severity, expression }) => ({ key, severity, expression }));
  if (invariants.length) facts['invariants'] = invariants;
  if (element.maxLength !== undefined) facts['maxLength'] = element.maxLength;
  const minValue = valueOf('minValue');
  if (minValue !== undefined) facts['minValue'] = minValue;
  const maxValue = valueOf('maxValue');
  if (maxValue !== undefined) facts['maxValue'] = maxValue;
  return facts as unknown as ElementFacts;
}

/** R4 types Resource.id as a string; its definition is the id type. */
function isResourceId({ id = '', base }: ElementDefinition): boolean {
  return id.split('.').length === 2 && base?.path === 'Resource.id';
}

const CORE = 'http://hl7.org/fhir/StructureDefinition/';

/**
 * A slice must keep what the sliced element demands. PAS 2.0.1's snapshot leaves the R4 targets in slices
 * (Claim.careTeam:*.provider), so they are taken from the sliced element.
 */
function withInheritedTargets(elements: readonly ElementFacts[]): ElementFacts[] {
  const byId = new Map(elements.map((element) => [element.id, element]));
  return elements.map((element) => {
    const { id, types } = element;
    const sliced = id.includes(':') ? byId.get(id.replaceAll(/:[^.]+/g, '')) : undefined;
    const [own] = types ?? [];
    const [inherited] = sliced?.types ?? [];
    if (types?.length !== 1 || !inherited?.targets || !own?.targets?.every((target) => target.startsWith(CORE))) return element;
    return inherited.targets.some((target) => target.startsWith(CORE)) ? element : { ...element, types: [{ ...own, targets: inherited.targets }] };
  });
}

function typeFacts({ code, profile, targetProfile }: NonNullable<ElementDefinition['type']>[number]): TypeFacts {
  return {
    code: (code ?? '').replace('http://hl7.org/fhirpath/', ''),
    ...(profile?.length ? { profiles: profile } : {}),
    ...(targetProfile?.length ? { targets: targetProfile } : {}),
  };
}
