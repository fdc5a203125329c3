import type { Chance } from './chance.ts';

/** What happens to one request on its way through the payer. */
export interface Behaviour {
  /** Before it is taken in hand. */
  readonly refuse?: 401 | 429 | 500 | 502 | 503 | 'connection-lost';
  readonly delayMs: number;
  /** After it was taken in hand. */
  readonly answer: 'as-it-is' | 'connection-lost' | 500 | 'not-fhir';
}

const REFUSALS = [401, 429, 500, 502, 503, 503, 'connection-lost', 'connection-lost'] as const;

/** Two of five requests meet trouble; a slow answer may come after the sender has given up. */
export function behaviourOf(chance: Chance, operation: string, key: string, attempt: number, slowestMs: number): Behaviour {
  const luck = chance(operation, key, attempt);
  const which = chance('which', operation, key, attempt);
  const quick = { delayMs: Math.floor(which * 40), answer: 'as-it-is' } as const;
  if (luck < 0.6) return quick;
  if (luck < 0.72) return { ...quick, delayMs: Math.floor(which * slowestMs) };
  if (luck < 0.85) return { ...quick, refuse: REFUSALS[Math.floor(which * REFUSALS.length)] ?? 503 };
  if (luck < 0.94) return { ...quick, answer: 'connection-lost' };
  return { ...quick, answer: which < 0.5 ? 500 : 'not-fhir' };
}

/** Milliseconds after its event at which each copy of a notification leaves; none when it is lost. Unequal delays reorder them. */
export function deliveriesOf(chance: Chance, key: string, number: number): readonly number[] {
  const luck = chance('notification', key, number);
  const delay = (copy: number) => Math.floor(chance('notification-delay', key, number, copy) * 1_500);
  if (luck < 0.1) return [];
  if (luck < 0.7) return [delay(1)];
  return luck < 0.9 ? [delay(1), delay(2)] : [delay(1), delay(2), delay(3)];
}

/** The payer is out for the first part of some spans of time, for everybody. */
export function isOut(chance: Chance, elapsedMs: number): boolean {
  const span = Math.floor(elapsedMs / 10_000);
  return chance('outage', span) < 0.4 && elapsedMs % 10_000 < 2_500;
}
