import { describe, expect, it } from 'vitest';
import { createAdmission } from './admission.ts';

const LIMITS = { full: 1_000, most: 1_000, lateMs: 40, tooLateMs: 80 };
const spin = (ms: number): void => {
  for (const until = performance.now() + ms; performance.now() < until; );
};

describe('calls that come together', () => {
  it('have their turns in order, one after the other', async () => {
    const admission = createAdmission(LIMITS);
    const order: number[] = [];
    await Promise.all([0, 1, 2, 3].map(async (call) => {
      expect(admission.enter()).toBe('full');
      expect(await admission.turn('full')).toBe('full');
      order.push(call);
    }));
    expect(order).toEqual([0, 1, 2, 3]);
    admission.stop();
  });
  it('are done in full, then in part, then refused, by when their turn comes', async () => {
    const admission = createAdmission(LIMITS);
    for (let call = 0; call < 60; call += 1) admission.enter();
    const taken = await Promise.all(Array.from({ length: 60 }, async () => {
      const how = await admission.turn('full');
      if (how !== 'refused') spin(5);
      return how;
    }));
    const counts = (how: string) => taken.filter((each) => each === how).length;
    expect([counts('full') > 0, counts('partial') > 0, counts('refused') > 0]).toEqual([true, true, true]);
    expect(taken).toEqual([...taken].sort());
    // The pace is known now: who would wait too long is told at once.
    const told: string[] = [];
    for (let call = 0; call < 60; call += 1) void admission.turn('full').then((how) => told.push(how));
    await Promise.resolve();
    expect(new Set(told)).toEqual(new Set(['refused']));
    admission.stop();
  });
  it.each([[0, 'calls that follow at once'], [200, 'and after a while']])('are taken again after a stall of the process (%i ms later)', async (laterMs) => {
    const admission = createAdmission(LIMITS);
    const together = (calls: number, workMs: number) => Promise.all(Array.from({ length: calls }, async () => {
      admission.enter();
      const how = await admission.turn('full');
      if (how !== 'refused') spin(workMs);
      admission.leave();
      return how;
    }));
    for (let stall = 0; stall < 3; stall += 1) await together(3, 300);
    await new Promise((later) => setTimeout(later, laterMs));
    // A queue of two is always tried, so that the pace is measured again; with time, all are taken.
    for (let burst = 0; burst < 60; burst += 1) await together(4, 0);
    expect(await together(4, 0)).toEqual(['full', 'full', 'full', 'full']);
    admission.stop();
  });
});
