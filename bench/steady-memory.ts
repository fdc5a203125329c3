import type { ChildServer } from './child-server.ts';
import { send } from './post.ts';

const IN_FLIGHT = 16;
const SAMPLES = 12;
/** What waits to be written is written before the heap is looked at. */
const PAUSE_MS = 1_500;
const MAX_GROWTH = 0.05;

/**
 * Many calls in a row: what is left in the heap after a collection, in the last quarter against the second (the first is warming up).
 * Returns what missed its aim.
 */
export async function steadyMemory({ base, collectGarbage }: Pick<ChildServer, 'base' | 'collectGarbage'>, call: () => Promise<unknown>, calls: number): Promise<string[]> {
  const heap: number[] = [];
  const resident: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    let left = Math.ceil(calls / SAMPLES);
    await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
      while (left > 0) {
        left -= 1;
        await call();
      }
    }));
    await new Promise((done) => setTimeout(done, PAUSE_MS));
    await collectGarbage();
    const metrics = await send('GET', `${base}/metrics`);
    const figure = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]) / 1_048_576;
    heap.push(figure('nodejs_heap_size_used_bytes'));
    resident.push(figure('process_resident_memory_bytes'));
  }
  const floor = (samples: readonly number[], quarter: number): number => Math.min(...samples.slice((quarter - 1) * (SAMPLES / 4), quarter * (SAMPLES / 4)));
  const [before, after] = [floor(heap, 2), floor(heap, 4)];
  console.log(`memory over ${calls} calls: heap ${before.toFixed(0)} MB, then ${after.toFixed(0)} MB; resident ${floor(resident, 2).toFixed(0)} MB, then ${floor(resident, 4).toFixed(0)} MB`);
  return after > before * (1 + MAX_GROWTH) ? [`the heap grew from ${before.toFixed(0)} to ${after.toFixed(0)} MB over ${calls} calls`] : [];
}
