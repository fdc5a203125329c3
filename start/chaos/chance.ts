import { createHash } from 'node:crypto';

/** Numbers in [0, 1) that only the seed and the words decide: the same case meets the same luck in every run, however the processes race. */
export type Chance = (...words: readonly (string | number)[]) => number;

export function chanceOf(seed: number): Chance {
  return (...words) => createHash('sha256').update([seed, ...words].join('|')).digest().readUInt32BE(0) / 2 ** 32;
}
