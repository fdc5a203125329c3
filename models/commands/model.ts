import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { simulateDecisions } from '../simulate/simulate-decisions.ts';
import { simulatedTable } from '../simulate/simulated-table.ts';
import { writeBundle } from '../write-bundle.ts';
import { trainModel } from '../train/train-model.ts';

// npm run model -- train [--rows N] [--seed N] : trains the denial-risk model on simulated decisions and writes models/denial-risk.onnx and .json.

const USAGE = 'Usage: npm run model -- train [--rows N (at least 1000)] [--seed N]';

function readArguments() {
  try {
    return parseArgs({ allowPositionals: true, options: { rows: { type: 'string', default: '40000' }, seed: { type: 'string', default: '20261122' }, help: { type: 'boolean', default: false } } });
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

const { values, positionals } = readArguments();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const rows = Number(values.rows);
const seed = Number(values.seed);
if (positionals[0] !== 'train' || positionals.length > 1 || !Number.isInteger(rows) || rows < 1000 || !Number.isInteger(seed)) {
  console.error(USAGE);
  process.exit(2);
}
console.log(`Training on ${rows} simulated decisions, seed ${seed} …`);
const bundle = await trainModel(simulatedTable(simulateDecisions(rows, seed)), { kind: 'denial-risk', seed, trainedAt: new Date().toISOString() });
writeBundle(join(import.meta.dirname, '..'), bundle);
const { measures, version } = bundle.file;
console.log(`Wrote models/denial-risk.onnx and .json, version ${version}.
Simulated figures, ${measures.split} (${measures.testRows} rows, ${(measures.baseRate * 100).toFixed(1)} % denied): AUC ${measures.areaUnderRoc.value.toFixed(3)}, Brier ${measures.brier.value.toFixed(4)}, calibration error ${measures.calibrationError.value.toFixed(4)}.`);
