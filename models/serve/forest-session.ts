import { InferenceSession, Tensor } from 'onnxruntime-node';

/** An open ONNX file of a tree ensemble. */
export interface ForestSession {
  /** The second class's raw probability of each row; `rows` row by row, `width` values each. */
  run(rows: Float32Array, width: number): Promise<ArrayLike<number>>;
  release(): Promise<void>;
}

/** `threads`: 1 answers single rows soonest beside other work; more are for many rows at once. */
export type OpenForestSession = (onnx: Uint8Array, threads: number) => Promise<ForestSession>;

export const openForestSession: OpenForestSession = async (onnx, threads) => {
  const session = await InferenceSession.create(onnx, {
    executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential', extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const [input] = session.inputNames;
  // Classifiers bring a label too; what is wanted is their last output.
  const output = session.outputNames.at(-1);
  if (session.inputNames.length !== 1 || input === undefined || output === undefined) throw new Error('the ONNX file is not a model of one table of numbers');
  return {
    async run(rows, width) {
      const count = rows.length / width;
      const { data } = (await session.run({ [input]: new Tensor('float32', rows, [count, width]) }, [output]))[output] ?? { data: [] };
      if (!(data instanceof Float32Array) || (data.length !== count && data.length !== 2 * count)) throw new Error('the ONNX file gives no probability a row');
      return data.length === count ? data : data.filter((_, index) => index % 2 === 1);
    },
    release: () => session.release(),
  };
};
