import type { Questionnaire, QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeInformationOrigin } from '#fhir/dtr/information-origin.ts';
import { mergeResponses } from './merge-responses.ts';

const questionnaire: Questionnaire = {
  resourceType: 'Questionnaire', status: 'active',
  item: [
    { linkId: 'a', text: 'First', type: 'string' },
    { linkId: 'b', text: 'Second', type: 'string', item: [{ linkId: 'b1', text: 'Below second', type: 'string' }] },
    { linkId: 'many', text: 'Several', type: 'string', repeats: true, item: [{ linkId: 'many1', type: 'string' }] },
    { linkId: 'group', text: 'Group', type: 'group', item: [{ linkId: 'g1', text: 'In group', type: 'string' }] },
    { linkId: 'rows', text: 'Rows', type: 'group', repeats: true, item: [{ linkId: 'r1', text: 'Name', type: 'string' }, { linkId: 'r2', text: 'Dose', type: 'string' }] },
  ],
};
const q = (linkId: string, ...values: string[]): QuestionnaireResponseItem => ({ linkId, answer: values.map((valueString) => ({ valueString })) });
const row = (name: string, dose: string): QuestionnaireResponseItem => ({ linkId: 'rows', item: [q('r1', name), q('r2', dose)] });
const response = (...item: QuestionnaireResponseItem[]): QuestionnaireResponse => ({ resourceType: 'QuestionnaireResponse', status: 'in-progress', item });
const merge = (base: QuestionnaireResponseItem[], mine: QuestionnaireResponseItem[], theirs: QuestionnaireResponseItem[], choices = {}) => mergeResponses({ questionnaire, base: response(...base), mine: response(...mine), theirs: response(...theirs), choices });

describe('merging two sets of answers', () => {
  it.each<[string, QuestionnaireResponseItem[], QuestionnaireResponseItem[], QuestionnaireResponseItem[], QuestionnaireResponseItem[], string[]]>([
    ['each answered another question', [], [q('a', '1')], [q('b', '2')], [q('a', '1'), q('b', '2')], []],
    ['both gave the same answer', [], [q('a', '1')], [q('a', '1')], [q('a', '1')], []],
    ['only they changed it', [q('a', '1')], [q('a', '1')], [q('a', '2')], [q('a', '2')], []],
    ['only I emptied it', [q('a', '1')], [], [q('a', '1')], [], []],
    ['both changed it', [q('a', '1')], [q('a', '2')], [q('a', '3')], [q('a', '2')], ['a']],
    ['I emptied what they changed', [q('a', '1')], [], [q('a', '3')], [], ['a']],
    ['each added to a repeating question', [q('many', 'x')], [q('many', 'x', 'y')], [q('many', 'x', 'z')], [q('many', 'x', 'y', 'z')], []],
    ['I took one away, they added one', [q('many', 'x', 'y')], [q('many', 'y')], [q('many', 'x', 'y', 'z')], [q('many', 'y', 'z')], []],
    ['each added an entry', [row('A', '1')], [row('A', '1'), row('B', '2')], [row('A', '1'), row('C', '3')], [row('A', '1'), row('B', '2'), row('C', '3')], []],
    ['each began the empty entry', [{ linkId: 'rows' }], [row('B', '2')], [row('C', '3')], [row('B', '2'), row('C', '3')], []],
    ['I changed the dose, they the name', [row('A', '1')], [row('A', '2')], [row('B', '1')], [row('B', '2')], []],
    ['both changed the dose of the second entry', [row('A', '1'), row('B', '1')], [row('A', '1'), row('B', '2')], [row('A', '1'), row('B', '3')], [row('A', '1'), row('B', '2')], ['rows[1]/r2']],
    ['I removed an entry, they left it', [row('A', '1'), row('B', '1')], [row('B', '1')], [row('A', '1'), row('B', '1')], [row('B', '1')], []],
    ['I removed an entry, they changed it', [row('A', '1'), row('B', '1')], [row('A', '1')], [row('A', '1'), row('B', '9')], [row('A', '1'), row('B', '9')], []],
    ['an answer without a place in the form', [], [q('a', '1')], [q('lost', '9')], [q('a', '1'), q('lost', '9')], []],
  ])('%s', (_what, base, mine, theirs, expected, paths) => {
    const { response: merged, conflicts } = merge(base, mine, theirs);
    expect(merged.item ?? []).toEqual(expected);
    expect(conflicts.map(({ path }) => path)).toEqual(paths);
  });

  it('names who and when, and takes what was chosen', () => {
    const by = (value: string, practitioner: string): QuestionnaireResponseItem => ({ linkId: 'a', answer: [{ valueString: value, extension: [writeInformationOrigin({ source: 'manual', practitioner })] }] });
    const mine = { ...response(by('2', 'Practitioner/me')), authored: '2026-11-20T10:00:00Z', author: { reference: 'Practitioner/me', display: 'Me' } };
    const theirs = { ...response(by('3', 'Practitioner/other')), authored: '2026-11-20T11:00:00Z' };
    const input = { questionnaire, base: response(), mine, theirs };
    expect(mergeResponses(input).conflicts[0]).toMatchObject({
      label: 'First', taken: 'mine',
      mine: { author: { reference: 'Practitioner/me', display: 'Me' }, at: '2026-11-20T10:00:00Z' },
      theirs: { author: { reference: 'Practitioner/other' }, at: '2026-11-20T11:00:00Z' },
    });
    expect(mergeResponses({ ...input, choices: { a: 'theirs' } }).response.item?.[0]?.answer?.[0]?.valueString).toBe('3');
  });

  it('takes a person’s answer before one of the record', () => {
    const auto: QuestionnaireResponseItem = { linkId: 'a', answer: [{ valueString: '1', extension: [writeInformationOrigin({ source: 'auto' })] }] };
    const manual: QuestionnaireResponseItem = { linkId: 'a', answer: [{ valueString: '2', extension: [writeInformationOrigin({ source: 'manual', practitioner: 'Practitioner/x' })] }] };
    expect(merge([], [auto], [manual]).conflicts[0]?.taken).toBe('theirs');
  });
});

/** Every answer with the linkIds above it; entries of a repeating group have no fixed place. */
function answersOf(items: readonly QuestionnaireResponseItem[] | undefined, above = ''): string[] {
  return (items ?? []).flatMap(({ linkId, answer, item }) => [
    ...(answer ?? []).flatMap((one) => [`${above}${linkId}=${one.valueString}`, ...answersOf(one.item, `${above}${linkId}/`)]),
    ...answersOf(item, `${above}${linkId}/`),
  ]);
}

describe('any two sets of answers', () => {
  const value = fc.constantFrom('1', '2', '3');
  const answers = fc.uniqueArray(value, { maxLength: 3 });
  const nested = fc.tuple(fc.option(value), fc.option(value)).map(([outer, inner]) => (outer === null ? [] : [{ linkId: 'b', answer: [{ valueString: outer, ...(inner === null ? {} : { item: [q('b1', inner)] }) }] }]));
  const rows = fc.array(fc.tuple(value, fc.option(value)).map(([name, dose]) => ({ linkId: 'rows', item: [q('r1', name), ...(dose === null ? [] : [q('r2', dose)])] })), { maxLength: 3 });
  const several = answers.chain((values) => fc.array(fc.option(value), { minLength: values.length, maxLength: values.length }).map((below) => values.map((valueString, index) => ({ valueString, ...(below[index] ? { item: [q('many1', below[index])] } : {}) }))));
  const anyResponse = fc.tuple(fc.option(value), nested, several, fc.option(value), rows).map(([a, b, many, g1, r]) =>
    response(...(a === null ? [] : [q('a', a)]), ...b, ...(many.length === 0 ? [] : [{ linkId: 'many', answer: many }]), { linkId: 'group', ...(g1 === null ? {} : { item: [q('g1', g1)] }) }, ...r));

  it('lose no answer that either side gave', () => {
    fc.assert(fc.property(anyResponse, anyResponse, anyResponse, (base, mine, theirs) => {
      const { response: merged, conflicts } = mergeResponses({ questionnaire, base, mine, theirs });
      const kept = new Set([...answersOf(merged.item), ...conflicts.flatMap(({ path, linkId, ...sides }) => {
        const above = path.split('/').slice(0, -1).map((part) => `${part.replace(/\[\d+\]$/, '')}/`).join('');
        return answersOf([{ linkId, answer: [...sides.mine.answers, ...sides.theirs.answers] }], above);
      })]);
      const begun = new Set(answersOf(base.item));
      const [ofMine, ofTheirs] = [answersOf(mine.item), answersOf(theirs.item)];
      expect([...ofMine, ...ofTheirs].filter((given) => !begun.has(given) && !kept.has(given))).toEqual([]);
    }), { numRuns: 1200 });
  });

  it('are the other’s when one side changed nothing, and in any order of sides', () => {
    fc.assert(fc.property(anyResponse, anyResponse, (base, changed) => {
      const sorted = (side: QuestionnaireResponse) => answersOf(side.item).sort();
      expect(sorted(mergeResponses({ questionnaire, base, mine: base, theirs: changed }).response)).toEqual(sorted(changed));
      expect(sorted(mergeResponses({ questionnaire, base, mine: changed, theirs: base }).response)).toEqual(sorted(changed));
      expect(mergeResponses({ questionnaire, base, mine: changed, theirs: changed }).conflicts).toEqual([]);
    }), { numRuns: 400 });
  });

  it('settle: with every conflict decided for one side, that side’s answers stand', () => {
    fc.assert(fc.property(anyResponse, anyResponse, anyResponse, (base, mine, theirs) => {
      const { conflicts } = mergeResponses({ questionnaire, base, mine, theirs });
      const choices = Object.fromEntries(conflicts.map(({ path }) => [path, 'theirs' as const]));
      const settled = mergeResponses({ questionnaire, base, mine, theirs, choices });
      expect(settled.conflicts.map(({ path }) => path)).toEqual(conflicts.map(({ path }) => path));
      const all = new Set(answersOf(settled.response.item));
      for (const { path, linkId, theirs: side } of conflicts) {
        const above = path.split('/').slice(0, -1).map((part) => `${part.replace(/\[\d+\]$/, '')}/`).join('');
        for (const answer of answersOf([{ linkId, answer: [...side.answers] }], above)) expect(all).toContain(answer);
      }
    }), { numRuns: 400 });
  });
});
