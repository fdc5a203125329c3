import { beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '#store/database.ts';
import { type MonthEvent, type MonthStory, playMonth } from './scripted-month.ts';

let story: MonthStory;
beforeAll(async () => {
  // Once, on the embedded engine: what it uses of the store is tested on both by its own tests.
  const store = await openStore({ dataDir: 'memory' });
  try {
    const played = await playMonth({ store, untilRolledBack: true, mostLatencyMs: 2_000 });
    // Latency is real time on this machine, which the other tests keep busy: neither the gate nor an alarm speaks of it here.
    story = { ...played, events: played.events.filter(({ what, said }) => what !== 'alarm' || !said.startsWith('Alarm: latency')) };
  } finally {
    await store.close();
  }
}, 120_000);

const first = (what: MonthEvent['what'], stage?: MonthEvent['stage']) => story.events.find((event) => event.what === what && (stage === undefined || event.stage === stage));
const dayOf = (what: MonthEvent['what'], stage?: MonthEvent['stage']) => first(what, stage)?.day ?? Number.NaN;
const promoted = () => first('promoted', 'live')?.version;

describe('a scripted month of simulated decisions', () => {
  it('is calm until the drift is planted, and the alarm comes within ten days of it', () => {
    expect(story.events.slice(0, 2).map(({ what }) => what)).toEqual(['begun', 'drift-planted']);
    expect(dayOf('alarm')).toBeGreaterThan(dayOf('drift-planted'));
    expect(dayOf('alarm') - dayOf('drift-planted')).toBeLessThanOrEqual(10);
  });

  it('leads from the alarm by retraining, gate, shadow and canary to a new live model, each step later than the one before', () => {
    expect(dayOf('retrained')).toBeGreaterThanOrEqual(dayOf('alarm'));
    expect(dayOf('promoted', 'shadow')).toBeGreaterThanOrEqual(dayOf('retrained'));
    expect(dayOf('promoted', 'canary')).toBeGreaterThan(dayOf('promoted', 'shadow'));
    expect(dayOf('promoted', 'live')).toBeGreaterThan(dayOf('promoted', 'canary'));
    const others = story.served.map(({ live, canary, shadows }) => [live === promoted(), canary?.version === promoted(), shadows.includes(promoted() ?? '')].join());
    expect(others.filter((each, index) => each !== others[index - 1])).toEqual(['false,false,false', 'false,false,true', 'false,true,false', 'true,false,false', 'false,false,false']);
  });

  it('lets no trainer promote, and no bad candidate through', () => {
    expect(first('not-allowed')?.said).toMatch(/approver/);
    const bad = first('bad-candidate-refused');
    expect(bad?.said).toMatch(/AUC/);
    expect(story.page.models.find(({ version }) => version === bad?.version)?.stage).toBe('candidate');
  });

  it('ends with a rollback to the model that was live before', () => {
    expect(first('rolled-back')?.version).toBe(story.served[0]?.live);
    expect(story.page.models.find(({ version }) => version === first('rolled-back')?.version)?.stage).toBe('live');
  });

  it('is all in the audit trail and on the page, and every model of it says simulated', () => {
    const actions = new Set(story.audited.map(({ action }) => action));
    for (const action of ['learning-alert-opened', 'training-asked', 'training-ended', 'model-registered', 'model-promoted', 'model-refused', 'model-roles-refused', 'model-rolled-back']) expect(actions).toContain(action);
    const told = story.page.events.map(({ outcome, to, who }) => `${outcome} ${to} ${who}`);
    for (const event of ['done shadow', 'done canary', 'done live']) expect(told).toContain(`${event} approver of the month`);
    expect(told.some((each) => each.startsWith('refused'))).toBe(true);
    expect(story.page.models.filter(({ kind }) => kind === 'denial-risk').every(({ simulated }) => simulated)).toBe(true);
  });
});
