import type { Bundle, Resource } from '@medplum/fhirtypes';

export type ParsedReference =
  | { readonly kind: 'relative'; readonly resourceType: string; readonly id: string; readonly version?: string }
  | { readonly kind: 'absolute'; readonly base: string; readonly resourceType: string; readonly id: string; readonly version?: string }
  | { readonly kind: 'urn'; readonly urn: string }
  | { readonly kind: 'contained'; readonly id: string }
  | { readonly kind: 'other'; readonly text: string };

const REST_REFERENCE = /^(?:(https?:\/\/.+)\/)?([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/;

/** Takes a literal reference apart. `other` is text that is none of the forms FHIR allows for a resource (a bare id, a canonical). */
export function parseReference(reference: string): ParsedReference {
  if (reference.startsWith('#')) return { kind: 'contained', id: reference.slice(1) };
  if (reference.startsWith('urn:')) return { kind: 'urn', urn: reference };
  const match = REST_REFERENCE.exec(reference);
  if (!match) return { kind: 'other', text: reference };
  const [, base, resourceType = '', id = '', version] = match;
  const rest = { resourceType, id, ...(version === undefined ? {} : { version }) };
  return base === undefined ? { kind: 'relative', ...rest } : { kind: 'absolute', base, ...rest };
}

/** `Type/id` of a stored resource; undefined when it has no id. */
export function referenceTo(resource: { readonly resourceType: string; readonly id?: string | undefined }): string | undefined {
  return resource.id === undefined ? undefined : `${resource.resourceType}/${resource.id}`;
}

/** `Type/id` for relative and absolute references, without base and version; undefined for the other forms. */
export function relativeReference(reference: string): string | undefined {
  const parsed = parseReference(reference);
  return parsed.kind === 'relative' || parsed.kind === 'absolute' ? `${parsed.resourceType}/${parsed.id}` : undefined;
}

/** An address without the slashes at its end. In time that grows with its length alone: it may come from anybody. */
export function withoutSlashes(address: string): string {
  let end = address.length;
  while (address[end - 1] === '/') end -= 1;
  return address.slice(0, end);
}

/** What a reference is looked up by: `Type/id`, or the urn as it is written. Undefined for the other forms. */
export function lookUpKey(reference: string): string | undefined {
  return reference.startsWith('urn:') ? reference : relativeReference(reference);
}

/**
 * The entry a reference points at, by the rules of Bundle.entry.fullUrl (R4 bundle.html#references): absolute and urn references
 * equal a fullUrl; a relative one is resolved against the base of `fromFullUrl`, and finds nothing from a urn fullUrl.
 */
export function resolveInBundle(bundle: Bundle, reference: string, fromFullUrl?: string): Resource | undefined {
  const wanted = absoluteFrom(reference, fromFullUrl);
  return wanted === undefined ? undefined : bundle.entry?.find((entry) => entry.fullUrl === wanted)?.resource;
}

/** The fullUrl a reference means when written in the entry `fromFullUrl`; undefined when it cannot mean any. */
export function absoluteFrom(reference: string, fromFullUrl?: string): string | undefined {
  const parsed = parseReference(reference);
  switch (parsed.kind) {
    case 'urn':
      return parsed.urn;
    case 'absolute':
      return `${parsed.base}/${parsed.resourceType}/${parsed.id}`;
    case 'relative': {
      const from = fromFullUrl === undefined ? undefined : parseReference(fromFullUrl);
      return from?.kind === 'absolute' ? `${from.base}/${parsed.resourceType}/${parsed.id}` : undefined;
    }
    default:
      return undefined;
  }
}
