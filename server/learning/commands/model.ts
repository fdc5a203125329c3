import { stat } from 'node:fs/promises';
import { ModelError } from '#models/model-error.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { openStore } from '#store/database.ts';
import { StoreError } from '#store/errors.ts';
import { cardMarkdown } from '../model-card.ts';
import { playMonth } from '../month/scripted-month.ts';
import { ArgumentsError, type ModelArguments, readArguments, USAGE } from '../model-desk/arguments.ts';
import { evaluateShipped, NEARBY_APPEALS_FILE } from '../model-desk/evaluate-models.ts';
import { type ModelDesk, openModelDesk } from '../model-desk/model-desk.ts';
import { DeskError } from '../model-desk/remote-desk.ts';
import { toldEvaluation, toldGate, toldModels, toldMonitoring, toldTraining } from '../model-desk/told.ts';
import { bundleFrom, progressLine, putDown, simulatedData, trainOn, trainShippedAppeals } from '../model-desk/train-models.ts';
import { RegistryError } from '../registry-error.ts';

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
const training = { signal: interrupted.signal, onProgress: progressLine((text) => process.stderr.write(text), process.stderr.isTTY) };

/** Of the shipped model. */
const SEED = 20_261_122;

/** The exit code. */
async function run(asked: ModelArguments): Promise<number> {
  const { command, json, kind, from, rows, seed = SEED, register, why = '', data, out, subject = '' } = asked;
  const print = (value: unknown, told: string): void => console.log(json ? JSON.stringify(value, null, 2) : told);
  const withDesk = async <T>(work: (desk: ModelDesk) => Promise<T>): Promise<T> => {
    const desk = await openModelDesk(process.env);
    try {
      return await work(desk);
    } finally {
      await desk.close();
    }
  };
  const decisions = (desk: ModelDesk) => async () => {
    if (from === 'simulator') return simulatedData({ rows, seed });
    const { table, faults } = await desk.decisions();
    if (faults.length > 0) throw new ModelError('TRAINING_REFUSED', `The data must not be trained on: ${faults.map(({ message }) => message).join(' ')}`);
    return table;
  };

  switch (command) {
    case 'train': {
      if (kind === 'appeal') {
        const { file } = await trainShippedAppeals(data ?? '', training);
        print(file.measures, `Wrote models/appeals/appeal.onnx, appeal.json and measured.json. ${toldTraining(file)}`);
      } else if (register) {
        await withDesk(async (desk) => {
          const bundle = await trainOn(await decisions(desk)(), seed, training);
          const model = await desk.register(bundle, why);
          print(model, `Registered as a candidate. ${toldTraining(bundle.file)}`);
        });
      } else {
        const bundle = await trainOn(simulatedData({ rows, seed }), seed, training);
        putDown(bundle, out);
        print(bundle.file.measures, `Wrote ${out ?? 'models'}/denial-risk.onnx and .json. ${toldTraining(bundle.file)}`);
      }
      return 0;
    }
    case 'evaluate': {
      if (subject === '') {
        const evaluated = await evaluateShipped({ rows, seed: seed + 1 }, data ?? process.env['APPEALS_FILE'] ?? NEARBY_APPEALS_FILE);
        print(evaluated, evaluated.map(toldEvaluation).join('\n'));
        return 0;
      }
      const card = await withDesk((desk) => desk.card(subject));
      const { evaluation, model } = card;
      if (!evaluation) throw new RegistryError('MODEL_GATE_NO_DATA', 'There are too few later decisions to measure the model on.');
      print(evaluation, toldEvaluation({ model: model.kind, version: model.version, split: model.measures.split, evaluation }));
      return 0;
    }
    case 'register': {
      const isFolder = (await stat(subject)).isDirectory();
      await withDesk(async (desk) => {
        const bundle = await bundleFrom(subject, isFolder, decisions(desk), seed, training);
        print(await desk.register(bundle, why), `Registered as a candidate. ${toldTraining(bundle.file)}`);
      });
      return 0;
    }
    case 'list': {
      const page = await withDesk((desk) => desk.list());
      print(page, toldModels(page));
      return 0;
    }
    case 'gate': {
      const report = await withDesk((desk) => desk.gate(subject));
      print(report, toldGate(report));
      return report.passed ? 0 : 1;
    }
    case 'promote': {
      const { kind: came, model, report } = await withDesk((desk) => desk.promote(subject, { to: asked.to, why, share: asked.share }));
      print({ kind: came, model, report }, `${toldGate(report)}\n${model.version} is ${model.stage}.`);
      return came === 'promoted' ? 0 : 1;
    }
    case 'rollback': {
      const model = await withDesk((desk) => desk.rollback(kind, why));
      print(model, `${model.version} is live again.`);
      return 0;
    }
    case 'retire': {
      const model = await withDesk((desk) => desk.retire(subject, why));
      print(model, `${model.version} is retired.`);
      return 0;
    }
    case 'monitor': {
      const report = await withDesk((desk) => desk.monitor(kind));
      print(report, toldMonitoring(report));
      return 0;
    }
    case 'card': {
      const card = await withDesk((desk) => desk.card(subject));
      print(card, cardMarkdown(card));
      return 0;
    }
    case 'month': {
      const store = await openStore({ dataDir: 'memory' });
      try {
        const story = await playMonth({ store, ordersADay: asked.orders, ...(asked.seed === undefined ? {} : { seed }), onEvent: ({ day, said }) => void (json || console.log(`Day ${day} (simulated): ${said}`)) });
        if (json) console.log(JSON.stringify(story, null, 2));
      } finally {
        await store.close();
      }
      return 0;
    }
    case 'export': {
      const bundle = await withDesk((desk) => desk.bundle(subject));
      putDown(bundle, out);
      print({ version: bundle.file.version, folder: out }, `Wrote ${bundle.file.kind}.json and .onnx of ${bundle.file.version} to ${out}.`);
      return 0;
    }
  }
}

/** True: the message is all that an operator needs. */
function isForOperator(error: unknown): error is Error {
  return error instanceof RegistryError || error instanceof ModelError || error instanceof DeskError || error instanceof StoreError || error instanceof PriorAuthError || (error instanceof Error && 'code' in error && ['ENOENT', 'EACCES', 'ENOTDIR', 'EISDIR'].includes(String(error.code)));
}

try {
  const asked = readArguments(process.argv.slice(2));
  if (asked === 'help') console.log(USAGE);
  else process.exitCode = await run(asked);
} catch (error) {
  if (interrupted.signal.aborted) {
    console.error('\nInterrupted; nothing was written.');
    process.exitCode = 130;
  } else if (error instanceof ArgumentsError) {
    console.error(`${error.message} npm run model -- --help shows the commands.`);
    process.exitCode = 2;
  } else if (isForOperator(error)) {
    console.error(`${error.message}${'nextStep' in error && typeof error.nextStep === 'string' ? ` ${error.nextStep}` : ''}`);
    process.exitCode = error instanceof DeskError && error.code === 'MODEL_GATE_REFUSED' ? 1 : 2;
  } else throw error;
}
