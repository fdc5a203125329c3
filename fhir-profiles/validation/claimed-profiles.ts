import { isObject, type JsonObject } from './json-values.ts';

/** The canonicals in meta.profile. */
export function claimedProfiles({ meta }: JsonObject): string[] {
  const profiles = isObject(meta) && Array.isArray(meta['profile']) ? meta['profile'] : [];
  return profiles.filter((profile): profile is string => typeof profile === 'string');
}
