import { parseArgs } from 'node:util';
import { z } from 'zod/mini';
import { MODEL_KINDS, modelPromotion, modelRollback } from '#prior-auth/learning-api.ts';

export const USAGE = `npm run model -- train [--rows N] [--seed N]                  trains the shipped denial-risk model on simulated decisions
npm run model -- train --kind appeal --data FILE              trains the shipped appeal model on California's determinations
npm run model -- train --from simulator|decisions --register --why TEXT
                                                              trains a candidate on simulated decisions, or on those on record here
npm run model -- evaluate [VERSION] [--data FILE]             AUC, Brier, calibration error and subgroups, of the shipped models or of one
npm run model -- register FOLDER|FILE --why TEXT              a bundle; or XGBoost, LightGBM or ONNX trees, calibrated and measured here
npm run model -- list
npm run model -- gate VERSION                                 what the gate says of the next step
npm run model -- promote VERSION --why TEXT [--to STAGE] [--share 0.1]
npm run model -- rollback --why TEXT [--kind denial-risk]     the model that was live before is live again
npm run model -- retire VERSION --why TEXT
npm run model -- monitor [--kind denial-risk]
npm run model -- card VERSION                                 the model card, Markdown
npm run model -- export VERSION --out FOLDER
npm run model -- month [--seed N] [--orders 200]              a month in simulated time, in a database of its own: drift, retraining, gate, rollback

--json prints JSON. Reads the settings of the server (DATA_DIR or DATABASE_URL, MODEL_ROLES_FILE, MODEL_APPROVE_OWN, APPEALS_FILE) and MODEL_TOKEN:
who asks. While a process has the embedded database open, it is asked instead, at PUBLIC_URL or http://localhost:PORT, with MODEL_TOKEN or
ADMIN_TOKEN. Exit code 1: the gate refused; 2: it could not be done; 130: interrupted, nothing was written.`;

export const MODEL_COMMANDS = ['train', 'evaluate', 'register', 'list', 'gate', 'promote', 'rollback', 'retire', 'monitor', 'card', 'export', 'month'] as const;
export type ModelCommand = (typeof MODEL_COMMANDS)[number];

/** Arguments that cannot be used. The message says which. */
export class ArgumentsError extends Error {
  override readonly name = 'ArgumentsError';
}

const count = (least: number, most: number) => z.coerce.number().check(z.int(), z.minimum(least), z.maximum(most));
const values = z.object({
  kind: z._default(z.enum(MODEL_KINDS), 'denial-risk'),
  from: z._default(z.enum(['simulator', 'decisions']), 'simulator'),
  rows: z._default(count(1_000, 2_000_000), 40_000),
  seed: z.optional(count(0, 0xffff_ffff)),
  /** A day, of the month. */
  orders: z._default(count(150, 10_000), 200),
  to: z.optional(modelPromotion.shape.to),
  share: z.optional(z.coerce.number().check(z.gt(0), z.lt(1))),
  why: z.optional(modelRollback.shape.why),
  data: z.optional(z.string()),
  out: z.optional(z.string()),
  register: z._default(z.boolean(), false),
  json: z._default(z.boolean(), false),
});

export interface ModelArguments extends z.infer<typeof values> {
  readonly command: ModelCommand;
  /** A version, or what to register. */
  readonly subject: string | undefined;
}

const NEEDS_SUBJECT: readonly ModelCommand[] = ['register', 'gate', 'promote', 'retire', 'card', 'export'];
const NEEDS_WHY: readonly ModelCommand[] = ['register', 'promote', 'rollback', 'retire'];
const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;

/** @throws ArgumentsError */
export function readArguments(args: readonly string[]): ModelArguments | 'help' {
  const { values: given, positionals } = parse(args);
  if (given.help) return 'help';
  const [command, subject, ...rest] = positionals;
  const known = MODEL_COMMANDS.find((each) => each === command);
  if (!known) throw new ArgumentsError(command === undefined ? 'Which command?' : `There is no command "${command}".`);
  if (rest.length > 0) throw new ArgumentsError(`"${rest.join(' ')}" is too much.`);
  if (subject !== undefined && !NEEDS_SUBJECT.includes(known) && known !== 'evaluate') throw new ArgumentsError(`"${subject}" is too much.`);
  const read = values.safeParse(given);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new ArgumentsError(`--${issue?.path.join('.')}: ${issue?.message}`);
  }
  if (NEEDS_SUBJECT.includes(known) && subject === undefined) throw new ArgumentsError(`${known} needs ${known === 'register' ? 'a folder or file' : 'a version'}.`);
  const { why, register, kind, data, from, out } = read.data;
  if ((NEEDS_WHY.includes(known) || register) && why === undefined) throw new ArgumentsError('--why is needed: it is kept with the step.');
  if (known === 'export' && out === undefined) throw new ArgumentsError('--out FOLDER is needed.');
  if (known === 'train' && kind === 'appeal' && data === undefined) throw new ArgumentsError('--data FILE is needed: the file of determinations.');
  if (known === 'train' && from === 'decisions' && !register) throw new ArgumentsError('A model of decisions on record goes to the registry only: add --register --why TEXT.');
  return { ...read.data, command: known, subject };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args], allowPositionals: true,
      options: { kind: TEXT, from: TEXT, rows: TEXT, seed: TEXT, orders: TEXT, to: TEXT, share: TEXT, why: TEXT, data: TEXT, out: TEXT, register: FLAG, json: FLAG, help: FLAG },
    });
  } catch (error) {
    throw new ArgumentsError(error instanceof Error ? error.message : String(error));
  }
}
