import { CODE_SYSTEMS } from '../base/code-systems.ts';

/** URLs of value sets, and X12's code systems without https. */
const NO_CODE_SYSTEM = /\/ValueSet\/|^https?:\/\/valueset\.|^http:\/\/codesystem\.x12\.org/;

/** Code systems that are named like value sets. */
const NAMED_LIKE_A_VALUE_SET: readonly { readonly system: string; readonly reason: string }[] = [
  {
    system: CODE_SYSTEMS.documentFormat,
    reason: 'IHE gave its code system of document formats this URL, and the R4 value set formatcodes (DocumentReference.content.format) takes all its codes from it',
  },
];

const exceptions = new Set(NAMED_LIKE_A_VALUE_SET.map(({ system }) => system));

export function namesNoCodeSystem(system: string): boolean {
  return NO_CODE_SYSTEM.test(system) && !exceptions.has(system);
}
