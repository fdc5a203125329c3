import { expect, it } from 'vitest';
import { en as ehr } from '../ehr/messages/en.ts';
import { es as ehrInSpanish } from '../ehr/messages/es.ts';
import { en as shared } from '../messages/en.ts';
import { es as sharedInSpanish } from '../messages/es.ts';
import { en as panel } from '../panel/messages/en.ts';
import { es as panelInSpanish } from '../panel/messages/es.ts';
import { en as work } from '../work/messages/en.ts';
import { es as workInSpanish } from '../work/messages/es.ts';
import { preferred } from './language.ts';

it.each([
  [undefined, ['es-MX', 'en'], 'es'],
  [undefined, ['fr-CA', 'en-CA'], 'en'],
  [undefined, ['de'], 'en'],
  [undefined, [], 'en'],
  ['es', ['en-US'], 'es'],
  ['en', ['es-US'], 'en'],
  ['tlh', ['es-US'], 'es'],
] as const)('chosen %s, offered %j: %s', (choice, offered, language) => {
  expect(preferred(choice, offered)).toBe(language);
});

/** The same in both languages. */
const ALIKE: readonly string[] = ['No', 'Fax'];

function leftInEnglish(one: unknown, other: unknown, path: string): string[] {
  if (typeof one === 'string') return one === other && !ALIKE.includes(one) ? [path] : [];
  if (typeof one !== 'object' || one === null || typeof other !== 'object' || other === null) return [];
  const there = new Map(Object.entries(other));
  return Object.entries(one).flatMap(([key, value]) => leftInEnglish(value, there.get(key), `${path}.${key}`));
}

it.each([['shared', shared, sharedInSpanish], ['panel', panel, panelInSpanish], ['work', work, workInSpanish], ['ehr', ehr, ehrInSpanish]] as const)('no line of %s is left in English', (name, one, other) => {
  expect(leftInEnglish(one, other, name)).toEqual([]);
});
