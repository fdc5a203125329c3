import { trainModel } from '#models/train/train-model.ts';
import { boostingTable } from '#test-fixtures/boosting-table.ts';

// One training in a process of its own, so that its memory is its own: rows, features, seed, trees and depth by argument. Prints JSON for bench/training.ts.

const [rows, features, seed, trees, depth] = process.argv.slice(2).map(Number) as [number, number, number, number, number];
const table = boostingTable(rows, features, seed);
const startedAt = performance.now();
const cpuBefore = process.cpuUsage();
const { file } = await trainModel(table, {
  kind: 'appeal', seed: 3, trainedAt: '2026-11-22T00:00:00Z', trees, depth, learningRate: 0.1, earlyStoppingTrees: 0, split: { by: 'share', train: 0.8, calibrate: 0.1 },
});
const cpu = process.cpuUsage(cpuBefore);
console.log(JSON.stringify({
  seconds: (performance.now() - startedAt) / 1000,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  peakMb: process.resourceUsage().maxRSS / 1024,
  areaUnderRoc: file.measures.areaUnderRoc.value,
  onnxSha256: file.onnxSha256,
  version: file.version,
}));
