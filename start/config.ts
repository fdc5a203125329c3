import { withoutSlashes } from '#fhir/base/reference.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Organization } from '@medplum/fhirtypes';
import { z } from 'zod';

/** Settings of the whole process, from the environment. docs/configuration.md lists them for operators. */
export interface Config {
  readonly port: number;
  readonly host: string;
  /** Public address without a trailing slash; everything that must be an absolute URL is made from it. */
  readonly publicUrl: string | undefined;
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly logLevel: string;
  /** How long the built-in payer's reviewer takes, milliseconds. */
  readonly reviewDelayMs: number;
  /** Opens the built-in payer's review queue; without it only the sandbox on this machine has one. */
  readonly payerReviewToken: string | undefined;
  /** Whether the built-in payer's rules may refuse and a stand-in acts as its reviewer. */
  readonly payerSandboxDecisions: boolean;
  /** Least share of proved criteria, 0 to 1, of an approval that no person makes. */
  readonly payerAutomaticConfidence: number;
  /** express `trust proxy` hops in front of us. */
  readonly trustedProxies: number;
  /** JSON file with the FHIR Organization that submits where an order names none; default: the sandbox's clinic. */
  readonly clinicFile: string | undefined;
  /** Other origins that may show the panel in a frame. */
  readonly panelFrameAncestors: readonly string[];
  /** JSON file of CDS Hooks clients. */
  readonly cdsClientsFile: string | undefined;
  /** JSON file of EHRs from which the panel may be launched. */
  readonly ehrsFile: string | undefined;
  /** JSON file of payers, in place of those the program brings. */
  readonly payersFile: string | undefined;
  /** SNOMED CT to ICD-10-CM; the shipped map when absent. */
  readonly diagnosisMapFile: string | undefined;
  /** Opens the admin pages; without it there are none. */
  readonly adminToken: string | undefined;
  /** JSON file of who may do what with models; the admin token may do all. */
  readonly modelRolesFile: string | undefined;
  /** Whether who registered a model may approve it. */
  readonly modelApproveOwn: boolean;
  /** File of external review determinations, on which the gate measures appeal models. */
  readonly appealsFile: string | undefined;
  /** Whole time of a CDS Hooks call, milliseconds. */
  readonly cdsDeadlineMs: number;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const blankAsAbsent = (value: unknown) => (value === '' ? undefined : value);
const optionalText = z.preprocess(blankAsAbsent, z.string().optional());
const environment = z.object({
  PORT: z.preprocess(blankAsAbsent, z.coerce.number().int().min(0).max(65_535).default(3000)),
  HOST: z.preprocess(blankAsAbsent, z.string().default('127.0.0.1')),
  PUBLIC_URL: z.preprocess(blankAsAbsent, z.url({ protocol: /^https?$/ }).optional()),
  DATA_DIR: z.preprocess(blankAsAbsent, z.string().default(join(process.cwd(), 'data'))),
  DATABASE_URL: z.preprocess(blankAsAbsent, z.url({ protocol: /^postgres(ql)?$/ }).optional()),
  LOG_LEVEL: z.preprocess(blankAsAbsent, z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('warn')),
  REVIEW_DELAY_MS: z.preprocess(blankAsAbsent, z.coerce.number().int().min(0).max(7 * 86_400_000).default(8_000)),
  PAYER_REVIEW_TOKEN: z.preprocess(blankAsAbsent, z.string().min(16).optional()),
  PAYER_SANDBOX_DECISIONS: z.preprocess(blankAsAbsent, z.enum(['on', 'off']).default('on')),
  PAYER_AUTOMATIC_CONFIDENCE: z.preprocess(blankAsAbsent, z.coerce.number().min(0).max(1).default(0.5)),
  TRUST_PROXY: z.preprocess(blankAsAbsent, z.coerce.number().int().min(0).max(10).default(0)),
  PANEL_FRAME_ANCESTORS: optionalText,
  CDS_CLIENTS_FILE: optionalText,
  EHRS_FILE: optionalText,
  PAYERS_FILE: optionalText,
  DIAGNOSIS_MAP_FILE: optionalText,
  ADMIN_TOKEN: z.preprocess(blankAsAbsent, z.string().min(16).optional()),
  MODEL_ROLES_FILE: optionalText,
  MODEL_APPROVE_OWN: z.preprocess(blankAsAbsent, z.enum(['on', 'off']).default('off')),
  APPEALS_FILE: optionalText,
  CDS_DEADLINE_MS: z.preprocess(blankAsAbsent, z.coerce.number().int().min(50).max(10_000).default(500)),
  CLINIC_FILE: optionalText,
});

/** The clinic of `CLINIC_FILE`. Throws ConfigError when the file is not an Organization with an NPI: no payer would accept its requests. */
export function readClinic(file: string): Organization {
  try {
    const organization = JSON.parse(readFileSync(file, 'utf8')) as Organization;
    const hasNpi = organization.identifier?.some(({ system, value }) => system === 'http://hl7.org/fhir/sid/us-npi' && value);
    if (organization.resourceType !== 'Organization' || !organization.name || !hasNpi) throw new Error('it is not a FHIR Organization with a name and an NPI');
    return organization;
  } catch (error) {
    throw new ConfigError(`CLINIC_FILE: ${file} cannot be used: ${(error as Error).message}`);
  }
}

/** Throws ConfigError naming each setting that is wrong. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
  }
  const values = parsed.data;
  return {
    port: values.PORT,
    host: values.HOST,
    publicUrl: values.PUBLIC_URL === undefined ? undefined : withoutSlashes(values.PUBLIC_URL),
    dataDir: values.DATA_DIR,
    databaseUrl: values.DATABASE_URL,
    logLevel: values.LOG_LEVEL,
    reviewDelayMs: values.REVIEW_DELAY_MS,
    payerReviewToken: values.PAYER_REVIEW_TOKEN,
    payerSandboxDecisions: values.PAYER_SANDBOX_DECISIONS === 'on',
    payerAutomaticConfidence: values.PAYER_AUTOMATIC_CONFIDENCE,
    trustedProxies: values.TRUST_PROXY,
    clinicFile: values.CLINIC_FILE,
    panelFrameAncestors: values.PANEL_FRAME_ANCESTORS?.split(/[\s,]+/).filter(Boolean) ?? [],
    cdsClientsFile: values.CDS_CLIENTS_FILE,
    ehrsFile: values.EHRS_FILE,
    payersFile: values.PAYERS_FILE,
    diagnosisMapFile: values.DIAGNOSIS_MAP_FILE,
    adminToken: values.ADMIN_TOKEN,
    modelRolesFile: values.MODEL_ROLES_FILE,
    modelApproveOwn: values.MODEL_APPROVE_OWN === 'on',
    appealsFile: values.APPEALS_FILE,
    cdsDeadlineMs: values.CDS_DEADLINE_MS,
  };
}
