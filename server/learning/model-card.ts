import type { Evaluation } from '#models/evaluate/evaluation.ts';
import type { Figures, Interval } from '#models/model-file.ts';
import type { ModelKind } from '#prior-auth/learning-api.ts';
import type { GateReport } from './gate.ts';
import type { RegisteredModel } from './registered-model.ts';
import type { ModelChange } from './registry.ts';

export interface ModelCard {
  readonly model: RegisteredModel;
  readonly use: { readonly intended: string; readonly notFor: string };
  readonly limits: readonly string[];
  /** On rows later than the fit; null when there were none to measure on. */
  readonly evaluation: Evaluation | null;
  readonly gate: (Pick<GateReport, 'to' | 'passed' | 'checks' | 'against'> & { readonly madeAt: string }) | null;
  readonly changes: readonly ModelChange[];
}

const USE: Readonly<Record<ModelKind, ModelCard['use']>> = {
  'denial-risk': {
    intended: 'Shows staff, beside an order or a request that is being prepared, how likely the payer is to deny it and what they could still do about it.',
    notFor: 'Not for deciding whether care is given, ordered or paid, not for ranking patients or clinicians, and not for payers.',
  },
  appeal: {
    intended: 'Shows staff, beside a denial, how often outside reviewers overturned similar denials.',
    notFor: 'Not for deciding whether a person may appeal, and not for a payer’s own first appeal: it learned from external reviews only.',
  },
};

const LIMITS: Readonly<Record<ModelKind, readonly string[]>> = {
  'denial-risk': ['It sees what the record says in code, not what notes say.', 'A payer’s rules change faster than decisions about them arrive; monitoring shows it late.', 'A probability is of many such requests, not of this one.'],
  appeal: ['It learned from California’s external reviews of 2001 to 2016; other states, years and internal appeals differ.', 'Few denials are appealed: those that were are not like the rest.', 'The rate of overturned denials moved strongly from year to year.'],
};

export function modelCard(model: RegisteredModel, about: Pick<ModelCard, 'evaluation' | 'gate' | 'changes'>): ModelCard {
  const limits = [
    ...(model.simulated ? ['It was trained on simulated decisions: no figure here says anything of a real payer.'] : []),
    ...LIMITS[model.kind],
    ...(model.importedFrom ? [`Its trees were trained elsewhere (${model.importedFrom.format}); how is not known here beyond: ${model.importedFrom.note}`] : []),
    ...(about.evaluation?.subgroups.some(({ rows }) => rows < 60) ? ['Some subgroups have fewer than 60 rows; their intervals are wide.'] : []),
  ];
  return { model, use: USE[model.kind], limits, ...about, changes: about.changes.filter(({ version }) => version === model.version) };
}

const told = (figure: Interval | null): string => (figure === null ? '–' : `${figure.value.toFixed(4)} (${figure.low.toFixed(4)} to ${figure.high.toFixed(4)})`);
const FIGURES: readonly (readonly [keyof Figures, string])[] = [['areaUnderRoc', 'AUC'], ['brier', 'Brier score'], ['calibrationError', 'calibration error'], ['logLoss', 'log loss']];
/** Text of files that were brought in, in one table cell or line. */
const plain = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[|<>`[\]\\]/g, (sign) => `\\${sign}`);

/** The card in Markdown. Figures of simulated decisions carry the word at each heading. */
export function cardMarkdown({ model, use, limits, evaluation, gate, changes }: ModelCard): string {
  const simulated = model.simulated ? ' (simulated)' : '';
  const { measures, trainedOn, lineage } = model;
  return [
    `# Model card: ${model.kind} ${model.version}${simulated}`,
    '',
    `Stage: **${model.stage}**${model.canaryShare === null ? '' : `, for ${Math.round(model.canaryShare * 100)} % of the clinics`}, since ${model.stageSince.slice(0, 10)}. Registered by ${plain(model.registeredBy)} on ${model.registeredAt.slice(0, 10)} (${model.origin}).`,
    '',
    '## Use',
    use.intended,
    '',
    use.notFor,
    '',
    '## Data',
    `${plain(trainedOn.source)}: ${trainedOn.rows} rows, decided ${trainedOn.from.slice(0, 10)} to ${trainedOn.to.slice(0, 10)}. Split by time: ${plain(measures.split)}.`,
    '',
    `## Measures at training${simulated}`,
    `${measures.testRows} rows, ${(measures.baseRate * 100).toFixed(1)} % positive. Values with 95 % bootstrap intervals.`,
    '',
    ...figureTable(measures, measures.logistic ?? null),
    '',
    ...(evaluation ? evaluationLines(evaluation) : ['## Subgroups', 'Not measured: there are no later decisions yet.']),
    '',
    '## Gate',
    ...(gate
      ? [
          `Before ${gate.to}, ${gate.madeAt.slice(0, 10)}: **${gate.passed ? 'passed' : 'refused'}**${gate.against === null ? '' : `, compared with ${gate.against}`}.`,
          '',
          '| check | result | why |',
          '|---|---|---|',
          ...gate.checks.map(({ code, passed, why }) => `| ${code} | ${passed ? 'passed' : '**failed**'} | ${plain(why)} |`),
        ]
      : ['It has not been to the gate.']),
    '',
    '## Limits',
    ...limits.map((limit) => `- ${plain(limit)}`),
    '',
    '## Lineage',
    '| what | value |',
    '|---|---|',
    `| data | \`${lineage.dataHash}\` |`,
    `| code | \`${lineage.codeHash}\` |`,
    `| ONNX file | \`${model.onnxSha256}\` |`,
    `| seed | ${lineage.seed} |`,
    `| trees | ${model.trees} |`,
    `| parameters | ${plain(JSON.stringify(lineage.parameters))} |`,
    `| features | ${plain(model.features.join(', '))} |`,
    '',
    '## History',
    '| when | what | who | why |',
    '|---|---|---|---|',
    ...changes.map(({ at, what, from, to, who, why }) => `| ${at} | ${what}: ${from ?? 'new'} to ${to} | ${plain(who)} | ${plain(why)} |`),
    '',
  ].join('\n');
}

function figureTable(model: Figures, logistic: Figures | null): string[] {
  return [
    `| measure | model |${logistic ? ' plain logistic regression |' : ''}`,
    `|---|---|${logistic ? '---|' : ''}`,
    ...FIGURES.map(([key, name]) => `| ${name} | ${told(model[key])} |${logistic ? ` ${told(logistic[key])} |` : ''}`),
  ];
}

/** Also what `evaluate` prints. */
export function evaluationLines(evaluation: Evaluation): string[] {
  const simulated = evaluation.simulated ? ' (simulated)' : '';
  return [
    `## Measured on later decisions${simulated}`,
    `${plain(evaluation.source)}: ${evaluation.rows} rows, decided ${evaluation.from.slice(0, 10)} to ${evaluation.to.slice(0, 10)}, ${(evaluation.baseRate * 100).toFixed(1)} % positive.`,
    '',
    ...figureTable(evaluation, evaluation.logistic),
    '',
    `## Subgroups${simulated}`,
    `Selected: a probability of at least ${evaluation.threshold}. For the audit only; the model does not read these groups.`,
    '',
    '| group | level | rows | positive | selected | true positive rate | false positive rate |',
    '|---|---|---|---|---|---|---|',
    ...evaluation.subgroups.map((row) => `| ${plain(row.group)} | ${plain(row.level)} | ${row.rows} | ${(row.baseRate * 100).toFixed(1)} % | ${told(row.selectionRate)} | ${told(row.truePositiveRate)} | ${told(row.falsePositiveRate)} |`),
  ];
}
