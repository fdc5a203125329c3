import type { Library } from '@medplum/fhirtypes';
import type { ElmLibrary } from './compile-cql.ts';

export interface PackageLibrary {
  /** Name inside the content, which is what expressions use; the FHIR name and url often differ from it. */
  readonly name: string;
  readonly elm?: ElmLibrary;
  readonly cql?: string;
  readonly library: Library;
}

/** Text of one library beyond which it is not read. */
const MOST_CHARACTERS = 4_000_000;

export function readLibraries(libraries: readonly Library[]): PackageLibrary[] {
  return libraries.flatMap((library): PackageLibrary[] => {
    const elm = readElm(contentOf(library, 'application/elm+json'));
    const cql = contentOf(library, 'text/cql');
    const name = elm?.library.identifier.id ?? /^\s*library\s+(?:[\w.]+\.)?"?([\w-]+)"?/m.exec(cql ?? '')?.[1];
    return name ? [{ name, library, ...(elm ? { elm } : {}), ...(cql ? { cql } : {}) }] : [];
  });
}

function contentOf(library: Library, type: string): string | undefined {
  const data = library.content?.find(({ contentType }) => contentType?.split(';')[0]?.trim() === type)?.data;
  if (!data || data.length > MOST_CHARACTERS * 2) return undefined;
  return Buffer.from(data, 'base64').toString('utf8');
}

/** ELM that cannot be read counts as not shipped: the CQL beside it is compiled. */
function readElm(text: string | undefined): ElmLibrary | undefined {
  if (text === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isElm(parsed) ? parsed : undefined;
}

function isElm(value: unknown): value is ElmLibrary {
  if (typeof value !== 'object' || value === null || !('library' in value)) return false;
  const { library } = value;
  if (typeof library !== 'object' || library === null || !('identifier' in library)) return false;
  const { identifier } = library;
  return typeof identifier === 'object' && identifier !== null && 'id' in identifier && typeof identifier.id === 'string';
}

export function definesOf(elm: ElmLibrary): string[] {
  const statements = elm.library['statements'] as { def?: { name?: unknown }[] } | undefined;
  return (statements?.def ?? []).flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
}
