import { expect, it } from 'vitest';
import { shareUnchanged } from './share-unchanged.ts';

const firstAnswer = { value: { valueString: 'x' } };
const before = { title: 'F', items: [{ path: 'a', answers: [firstAnswer] }, { path: 'b', answers: [] }], gaps: [{ path: 'b' }] };
const copy = (first = 'x'): typeof before => ({ ...structuredClone(before), items: [{ path: 'a', answers: [{ value: { valueString: first } }] }, { path: 'b', answers: [] }] });

it('what says the same is the very object of before', () => {
  expect(shareUnchanged(before, copy())).toBe(before);
});

it('only what changed, and what it stands in, is new', () => {
  const after = copy('xy');
  const shared = shareUnchanged(before, after);
  expect(shared).toEqual(after);
  expect(shared.items[0]).not.toBe(before.items[0]);
  expect(shared.items[1]).toBe(before.items[1]);
  expect(shared.gaps).toBe(before.gaps);
});

it('entries with a path are known again at another place; what is gone is gone', () => {
  const after = copy();
  after.items = [{ path: 'new', answers: [] }, ...after.items.slice(1)];
  const shared = shareUnchanged(before, after);
  expect(shared).toEqual(after);
  expect(shared.items[1]).toBe(before.items[1]);
  expect(shareUnchanged<{ readonly path: string; readonly note?: string }>({ path: 'a', note: 'x' }, { path: 'a' })).toEqual({ path: 'a' });
});
