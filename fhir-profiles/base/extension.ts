import type { Extension } from '@medplum/fhirtypes';

export interface Extensible {
  readonly extension?: readonly Extension[] | undefined;
}

export function extensionByUrl(of: Extensible | undefined, url: string): Extension | undefined {
  return of?.extension?.find((extension) => extension.url === url);
}

export function extensionsByUrl(of: Extensible | undefined, url: string): Extension[] {
  return of?.extension?.filter((extension) => extension.url === url) ?? [];
}

/** A new list with every extension of `url` replaced by `replacements`; the others keep their order. */
export function withExtensions(of: Extensible | undefined, url: string, replacements: readonly Extension[]): Extension[] {
  return [...(of?.extension ?? []).filter((extension) => extension.url !== url), ...replacements];
}
