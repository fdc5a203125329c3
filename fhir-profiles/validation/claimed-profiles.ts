import { isObject, type JsonObject } from './json-values.ts';

/** The canonicals in meta.profile. */
export function claimedProfiles({ meta }: JsonObject): string[] {
  const profiles = isObject(meta) && Array.isArray(meta['profile']) ? meta['profile'] : [];
  return profiles.filter((profile): profile is string => typeof profile === 'string');
}

/** Those of the resources inside it: in a Bundle, in Parameters, contained, and so on `levels` deep. */
export function profilesClaimedInside({ entry, parameter, contained }: JsonObject, levels = 3): string[] {
  if (levels === 0) return [];
  const held = [...objects(entry), ...objects(parameter)].map((part) => part['resource']);
  return [...held.filter(isObject), ...objects(contained)].flatMap((resource) => [...claimedProfiles(resource), ...profilesClaimedInside(resource, levels - 1)]);
}

function objects(list: unknown): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}
