/** SMART App Launch 2.2.0 §2.0: a resource scope of either version. */
const RESOURCE_SCOPE = /^(patient|user|system)\/([A-Z][A-Za-z]*|\*)\.(c?r?u?d?s?|read|write|\*)(?:\?(.+))?$/;
const LETTERS_OF_VERSION_1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/** False for a resource scope that is none: an unknown level, a type in lower case, letters out of the order c r u d s. */
export function isScope(scope: string): boolean {
  return !/^(patient|user|system)\//i.test(scope) || RESOURCE_SCOPE.test(scope);
}

/** What the EHR is asked for in this launch: v1 only where it knows no other, the patient picker's scope in a standalone launch. */
export function scopesToAsk(registered: string, { capabilities, standalone }: { readonly capabilities: readonly string[]; readonly standalone: boolean }): string {
  const asVersion1 = capabilities.includes('permission-v1') && !capabilities.includes('permission-v2');
  const asked = registered.trim().split(/\s+/).flatMap((scope) => {
    if (scope === 'launch' || scope === 'launch/patient') return [standalone ? 'launch/patient' : 'launch'];
    return asVersion1 ? toVersion1(scope) : [scope];
  });
  return [...new Set(asked)].join(' ');
}

function toVersion1(scope: string): readonly string[] {
  const [, level, type, letters = ''] = RESOURCE_SCOPE.exec(scope) ?? [];
  if (level === undefined || LETTERS_OF_VERSION_1[letters] !== undefined) return [scope];
  const reads = /[rs]/.test(letters);
  const writes = /[cud]/.test(letters);
  return reads && writes ? [`${level}/${type}.*`] : [`${level}/${type}.${reads ? 'read' : 'write'}`];
}

/** What the panel does with a right, in words for staff. */
const USES: readonly { readonly type: string; readonly letters: string; readonly cannot: string }[] = [
  { type: 'Patient', letters: 'r', cannot: 'the panel cannot show whose chart this is' },
  { type: 'Coverage', letters: 'r', cannot: 'the panel cannot tell which payer to ask' },
  { type: 'ServiceRequest', letters: 'r', cannot: 'orders of services cannot be opened' },
  { type: 'DeviceRequest', letters: 'r', cannot: 'orders of equipment cannot be opened' },
  { type: 'MedicationRequest', letters: 'r', cannot: 'orders of medication cannot be opened' },
  { type: 'Condition', letters: 'rs', cannot: 'answers about diagnoses are not filled in' },
  { type: 'Observation', letters: 'rs', cannot: 'answers about results are not filled in' },
  { type: 'QuestionnaireResponse', letters: 'cu', cannot: 'the EHR keeps no copy of the answers; they are kept here' },
];

export interface NotGranted {
  /** As it was asked for, "patient/Observation.rs". */
  readonly scope: string;
  readonly cannot: string;
}

/** What was asked for, is needed and was not given. An answer without `scope` grants what was asked (RFC 6749 §5.1). */
export function notGranted(asked: string, granted: string | undefined): readonly NotGranted[] {
  if (granted === undefined) return [];
  const gives = granted.split(/\s+/);
  const missing = USES.filter(({ type, letters }) => allows(asked.split(' '), type, letters) && !allows(gives, type, letters)).map(({ type, letters, cannot }) => ({ scope: `patient/${type}.${letters}`, cannot }));
  const askedRefresh = /(?:^| )(offline|online)_access(?: |$)/.exec(asked)?.[0].trim();
  const refused = askedRefresh !== undefined && !gives.some((scope) => scope === 'offline_access' || scope === 'online_access');
  return refused ? [...missing, { scope: askedRefresh, cannot: 'the session ends with the EHR’s token and cannot be prolonged' }] : missing;
}

function allows(scopes: readonly string[], type: string, letters: string): boolean {
  const given = scopes.flatMap((scope) => {
    const [, level, of, what = ''] = RESOURCE_SCOPE.exec(scope) ?? [];
    // A filtered grant may leave out what is needed, but what it leaves out is the EHR's wish.
    return level !== undefined && (of === '*' || of === type) ? [LETTERS_OF_VERSION_1[what] ?? what] : [];
  });
  return letters.split('').every((letter) => given.some((each) => each.includes(letter)));
}
