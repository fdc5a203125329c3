import { describe, expect, it } from 'vitest';
import type { MetricItem, PasMetricData } from '#fhir/pas/metric-data.ts';
import { publicMetrics, publicTable } from './public-metrics.ts';

const SENT = '2026-11-02T09:00:00Z';
const after = (hours: number) => new Date(Date.parse(SENT) + hours * 3_600_000).toISOString();
const item = (result: MetricItem['result'] | undefined, hours: number | undefined, code = 'E1390'): MetricItem => ({
  trn: 1,
  item: { coding: [{ code }] },
  initialSubmissionTime: SENT,
  ...(hours === undefined ? {} : { finalResponseTime: after(hours) }),
  ...(result ? { result } : {}),
});
const record = (items: readonly MetricItem[], review: Partial<PasMetricData['review']> = {}): PasMetricData => ({
  source: 'provider-src', providerId: { value: '1' }, groupId: { value: '1' }, payerId: { system: 's', value: 'p' }, exchange: [], itemDetail: items,
  review: { priority: 'standard', dueTime: after(168), approvedAfterAppeal: false, ...review },
});

describe('the public figures of CMS-0057-F', () => {
  it.each([
    ['approved', [item('approved', 1)], { decided: 1, approved: 1, approvedShare: 1, deniedShare: 0 }],
    ['approved with changes', [item('modified', 1)], { decided: 1, approved: 1 }],
    ['denied', [item('denied', 1)], { decided: 1, denied: 1, deniedShare: 1 }],
    ['one item approved, one denied', [item('approved', 1), item('denied', 2)], { decided: 1, approved: 0, denied: 0, partlyApproved: 1, meanHours: 2 }],
    ['an item taken back does not count', [item('approved', 1), item('cancelled', undefined)], { decided: 1, approved: 1 }],
    ['all taken back', [item('cancelled', undefined)], { decided: 0, cancelled: 1, approvedShare: null }],
    ['pended', [item('pended', undefined)], { decided: 0, pending: 1, meanHours: null }],
    ['one item still pended', [item('approved', 1), item('pended', undefined)], { decided: 0, pending: 1 }],
    ['unreadable is not decided', [item(undefined, undefined)], { decided: 0, pending: 1, approved: 0 }],
    ['nothing known of items', [], { decided: 0, pending: 1 }],
    ['after the legal time, approved', [item('approved', 169)], { extendedThenApproved: 1, withinTimeShare: 0 }],
    ['after the legal time, denied', [item('denied', 169)], { extendedThenApproved: 0, withinTimeShare: 0 }],
  ] as const)('%s', (_name, items, expected) => {
    expect(publicMetrics([record(items)]).standard).toMatchObject({ requests: 1, ...expected });
  });

  it('keeps standard and expedited apart; mean and median of an even number; appeals; codes by number', () => {
    const records = [
      record([item('approved', 2)]), record([item('approved', 4)]), record([item('denied', 6)]), record([item('approved', 40)], { approvedAfterAppeal: true }),
      record([item('approved', 1, 'K0823')], { priority: 'expedited', dueTime: after(72) }),
    ];
    const figures = publicMetrics(records);
    expect(figures.standard).toMatchObject({ requests: 4, approvedAfterAppeal: 1, meanHours: 13, medianHours: 5, approvedShare: 0.75 });
    expect(figures.expedited).toMatchObject({ requests: 1, approved: 1, medianHours: 1 });
    expect(figures.items).toEqual([{ code: 'E1390', requests: 4, denied: 1 }, { code: 'K0823', requests: 1, denied: 0 }]);
    expect(publicTable(figures)).toMatch(/median time, hours +5\.00 +1\.00/);
  });

  it('no requests: no shares, and a table all the same', () => {
    const figures = publicMetrics([]);
    expect(figures.standard).toMatchObject({ requests: 0, approvedShare: null, meanHours: null, medianHours: null });
    expect(publicTable(figures)).toContain('none');
  });
});
