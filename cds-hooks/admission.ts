/**
 * How a call is taken. `full`: with all that it needs. `partial`: with what it brought along; nothing is fetched, asked or scored.
 * `refused`: not even that could be done in time.
 */
export type Admitted = 'full' | 'partial' | 'refused';

/** Keeps a process from taking on more than it can answer in time: a late useful answer is worse than an early partial one. */
export interface Admission {
  /** Each call that was not refused must leave. */
  enter(): Admitted;
  /**
   * Resolves when it is the call's turn to be worked on: in the order of asking, one in each round of the event loop. Calls that come
   * together would otherwise be worked on in one round, and for its length no connection is accepted (one a round) and no timer fires.
   * A call whose turn comes late is done in part; one whose turn would come too late, by the pace of the calls before it, is refused at once.
   */
  turn(admitted: Exclude<Admitted, 'refused'>): Promise<Admitted>;
  leave(): void;
  stop(): void;
}

export interface AdmissionLimits {
  /** Calls at work at once, up to which each is done in full. */
  readonly full: number;
  /** Above it calls are refused. */
  readonly most: number;
  /** A process that comes this much too late to its own work refuses calls: whatever is waiting comes later still. */
  readonly lateMs: number;
  /** A call that would wait longer for its turn is refused. */
  readonly tooLateMs: number;
}

const LOOK_EVERY_MS = 50;

/** Of a new turn in the pace. */
const PACE_SHARE = 0.1;

export function createAdmission({ full, most, lateMs, tooLateMs }: AdmissionLimits): Admission {
  let atWork = 0;
  let late = 0;
  let before = 0;
  let expected = performance.now() + LOOK_EVERY_MS;
  /** Each tells whether its call is now worked on. */
  const waiting: (() => boolean)[] = [];
  /** Milliseconds from one turn to the next, of calls that were worked on while others waited. */
  let pace = 1;
  let turnAt = 0;
  let idleSince = 0;
  const next = (): void => {
    const now = performance.now();
    // One stall is one slow turn, whatever its length: else the pace of a healthy process would keep its queue from ever being tried again.
    if (turnAt > 0) pace += PACE_SHARE * (Math.min(now - turnAt, tooLateMs) - pace);
    const works = waiting.shift()?.() === true;
    turnAt = works && waiting.length > 0 ? now : 0;
    idleSince = now;
    if (waiting.length > 0) setImmediate(next);
  };
  const clock = setInterval(() => {
    const now = Math.max(0, performance.now() - expected);
    // Late twice in a row: one hiccup is over before the next call is read.
    late = Math.min(before, now);
    before = now;
    expected = performance.now() + LOOK_EVERY_MS;
  }, LOOK_EVERY_MS).unref();
  return {
    enter() {
      // One call is always taken, so that a process which was only held up for a moment finds out that it is well again.
      if (atWork > 0 && (atWork >= most || late > lateMs)) return 'refused';
      atWork += 1;
      return atWork <= full ? 'full' : 'partial';
    },
    turn(admitted) {
      if (atWork <= 1) return Promise.resolve(admitted);
      const since = performance.now();
      // After a while without a turn, what was slow says nothing of now.
      if (waiting.length === 0 && since - idleSince > tooLateMs) pace = 1;
      if (waiting.length * pace > tooLateMs) return Promise.resolve('refused');
      return new Promise((go) => {
        waiting.push(() => {
          const waited = performance.now() - since;
          go(waited > tooLateMs ? 'refused' : waited > lateMs ? 'partial' : admitted);
          return waited <= tooLateMs;
        });
        if (waiting.length === 1) setImmediate(next);
      });
    },
    leave() {
      atWork -= 1;
    },
    stop: () => clearInterval(clock),
  };
}
