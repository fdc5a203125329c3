/** What a client may ask for at this payer: resource type to letters of SMART v2 (create, read, update, delete, search). */
const OFFERED = { Claim: 'c', Questionnaire: 'rs', Library: 'rs', ValueSet: 'rs', Subscription: 'crud' } as const;

type OfferedType = keyof typeof OFFERED;

export const SCOPES_SUPPORTED: readonly string[] = Object.entries(OFFERED).map(([type, letters]) => `system/${type}.${letters}`);

const LETTERS = ['c', 'r', 'u', 'd', 's'];
const V1_LETTERS: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/** The part of the asked scopes that this payer grants, in SMART v2 words; empty when nothing is left. */
export function grantScopes(asked: string): string {
  const granted = new Map<OfferedType, Set<string>>();
  for (const scope of asked.split(' ').filter(Boolean)) {
    for (const { type, letters } of readScope(scope)) {
      const offered: string = OFFERED[type];
      const held = granted.get(type) ?? new Set<string>();
      for (const letter of letters) if (offered.includes(letter)) held.add(letter);
      if (held.size > 0) granted.set(type, held);
    }
  }
  return [...granted].map(([type, letters]) => `system/${type}.${LETTERS.filter((letter) => letters.has(letter)).join('')}`).join(' ');
}

/** True when the granted scopes hold every letter that `needed` names. */
export function holdsScope(granted: string, needed: string): boolean {
  const held = granted.split(' ').flatMap(readScope);
  return readScope(needed).every(({ type, letters }) => LETTERS.every((letter) => !letters.includes(letter) || held.some((h) => h.type === type && h.letters.includes(letter))));
}

function readScope(scope: string): { type: OfferedType; letters: string }[] {
  const match = /^system\/(\*|[A-Z][A-Za-z]+)\.(read|write|\*|c?r?u?d?s?)$/.exec(scope);
  if (!match?.[1] || !match[2]) return [];
  const letters = V1_LETTERS[match[2]] ?? match[2];
  const types = Object.keys(OFFERED).filter((type): type is OfferedType => match[1] === '*' || match[1] === type);
  return types.map((type) => ({ type, letters }));
}
