import { ALWAYS, EVIDENCE } from './record-queries.ts';
import { STANDARD_2_0_1 } from './standard-2-0-1.ts';
import { STANDARD_2_2 } from './standard-2-2.ts';

/** Every key under which some service of ours asks for something. */
export const PREFETCH_KEYS: ReadonlySet<string> = new Set([
  ...Object.keys(ALWAYS),
  ...Object.values(EVIDENCE).map(({ key }) => key),
  ...[...Object.values(STANDARD_2_0_1), ...Object.values(STANDARD_2_2)].flatMap((queries) => Object.keys(queries)),
]);
