/** Milliseconds of one measured thing. */
export interface Figures {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
  /** Processor time of the measured process, all its threads; NaN where it is not known. */
  readonly cpuMsPerCall: number;
}

/** Processor seconds that a process has used so far. */
export type CpuSeconds = () => Promise<number>;

export function figuresOf(samplesMs: readonly number[], elapsedMs: number, cpuSeconds = Number.NaN): Figures {
  const sorted = [...samplesMs].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), perSecond: (samplesMs.length / elapsedMs) * 1000, cpuMsPerCall: (cpuSeconds * 1000) / samplesMs.length };
}

/** Runs `work` until `durationMs` is over with `inFlight` at once, after `warmUp` runs that do not count. */
export async function measure(work: () => unknown, options: { durationMs: number; inFlight?: number; warmUp?: number; cpu?: CpuSeconds | undefined }): Promise<Figures> {
  const { durationMs, inFlight = 1, warmUp = 50, cpu } = options;
  for (let run = 0; run < warmUp; run += 1) await work();
  const samples: number[] = [];
  const cpuBefore = await cpu?.();
  const startedAt = performance.now();
  const lane = async () => {
    while (performance.now() - startedAt < durationMs) {
      const before = performance.now();
      await work();
      samples.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const elapsedMs = performance.now() - startedAt;
  const cpuAfter = await cpu?.();
  return figuresOf(samples, elapsedMs, cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore);
}

export function row(name: string, figures: Figures, note = ''): string {
  const number = (value: number) => value.toFixed(3).padStart(9);
  return `${name.padEnd(44)}${number(figures.p50Ms)}${number(figures.p95Ms)}${number(figures.p99Ms)}${figures.perSecond.toFixed(0).padStart(9)}${(Number.isNaN(figures.cpuMsPerCall) ? '' : figures.cpuMsPerCall.toFixed(2)).padStart(15)}  ${note}`;
}

export const HEADER = `${''.padEnd(44)}${'p50 ms'.padStart(9)}${'p95 ms'.padStart(9)}${'p99 ms'.padStart(9)}${'per s'.padStart(9)}${'cpu ms a call'.padStart(15)}`;
