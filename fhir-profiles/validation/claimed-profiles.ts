import { isObject, type JsonObject } from './json-values.ts';

/** The canonicals in meta.profile. */
export function claimedProfiles({ meta }: JsonObject): string[] {
  const profiles = isObject(meta) && Array.isArray(meta['profile']) ? meta['profile'] : [];
  return profiles.filter((profile): profile is string => typeof profile === 'string');
}

/** Those of the resources in a Bundle or in Parameters. */
export function profilesClaimedInside({ entry, parameter }: JsonObject): string[] {
  const parts = [entry, parameter].flatMap((list) => (Array.isArray(list) ? list : []));
  return parts.flatMap((part: unknown) => (isObject(part) && isObject(part['resource']) ? claimedProfiles(part['resource']) : []));
}
