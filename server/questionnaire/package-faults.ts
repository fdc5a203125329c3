import type { Questionnaire, QuestionnaireItem, ValueSet } from '@medplum/fhirtypes';
import { extensionsNamed } from '#prior-auth/questionnaire/read-extension.ts';
import { readLibraries } from './cql/read-libraries.ts';
import type { PackageFault, QuestionnairePackage } from './package.ts';

type Content = Pick<QuestionnairePackage, 'questionnaire' | 'libraries' | 'valueSets' | 'adaptive'>;

/** What a package lacks that its own form needs. Nothing here stops the form: what cannot be filled in is left to a person. */
export function packageFaults({ questionnaire, libraries, valueSets, adaptive }: Content): PackageFault[] {
  // The questions of an adaptive form come later, and with them its expressions.
  const needsCql = adaptive !== undefined || JSON.stringify(questionnaire.item ?? []).includes('"text/cql');
  const readable = readLibraries(libraries);
  const names = readable.map(({ name, library }) => `${name}|${library.version ?? ''}`.split('|')[0] ?? name);
  return [
    ...(needsCql ? extensionsNamed(questionnaire, 'cqfLibrary').flatMap(({ valueCanonical }) => missingLibrary(valueCanonical, libraries)) : []),
    ...libraries.filter((library) => !readable.some((one) => one.library === library)).map(({ url, id }): PackageFault => ({ kind: 'library-empty', place: url ?? id ?? 'Library' })),
    ...[...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map((place): PackageFault => ({ kind: 'library-twice', place })),
    ...valueSetsOf(questionnaire).filter(({ canonical }) => !findValueSet(canonical, questionnaire, valueSets)).map(({ canonical }): PackageFault => ({ kind: 'value-set-missing', place: canonical })),
  ];
}

function missingLibrary(canonical: string | undefined, libraries: Content['libraries']): PackageFault[] {
  if (!canonical) return [];
  const [address = ''] = canonical.split('|');
  const last = address.split('/').at(-1);
  // References may be relative, and the url of a library may be absent.
  const found = libraries.some(({ url, id, name }) => url === address || id === last || name === last);
  return found ? [] : [{ kind: 'library-missing', place: canonical }];
}

/** Answer lists and units that items name. */
export function valueSetsOf(questionnaire: Questionnaire): { readonly linkId: string; readonly canonical: string }[] {
  return (questionnaire.item ?? []).flatMap(function read(item: QuestionnaireItem): { linkId: string; canonical: string }[] {
    const named = [item.answerValueSet, ...extensionsNamed(item, 'unitValueSet').map(({ valueCanonical }) => valueCanonical)];
    return [...named.flatMap((canonical) => (canonical && item.linkId ? [{ linkId: item.linkId, canonical }] : [])), ...(item.item ?? []).flatMap(read)];
  });
}

/** Contained ones win; of several versions the one that is named, else the first. */
export function findValueSet(canonical: string, questionnaire: Questionnaire, valueSets: readonly ValueSet[]): ValueSet | undefined {
  const contained = (questionnaire.contained ?? []).filter((resource): resource is ValueSet => resource.resourceType === 'ValueSet');
  if (canonical.startsWith('#')) return contained.find(({ id }) => `#${id}` === canonical);
  const [url, version] = canonical.split('|');
  const ofUrl = [...contained, ...valueSets].filter((set) => set.url === url);
  return ofUrl.find((set) => version === undefined || set.version === version) ?? ofUrl.find((set) => set.version === undefined);
}

/** For staff; nothing where they would notice no difference. */
export function sayFault({ kind, place }: PackageFault): string | undefined {
  switch (kind) {
    case 'library-missing':
    case 'library-empty':
      return `The payer did not send a rule that its form uses (${place.split('|')[0]?.split('/').at(-1)}). Questions that need it are left to you.`;
    case 'expired':
      return `The payer’s form ${place} has expired. It was left out.`;
    case 'adaptive-url':
      return 'The payer’s form names an address for its next questions that is not the payer’s own; the payer’s own is used.';
    case 'value-set-missing':
    case 'library-twice':
      return undefined;
  }
}
