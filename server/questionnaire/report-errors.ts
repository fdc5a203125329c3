import type { Parameters } from '@medplum/fhirtypes';
import type { Logger } from 'pino';
import type { Jobs } from '#store/jobs.ts';
import { APP_NAME, APP_VERSION } from './app-version.ts';
import { callOperation, operationUrl, type PayerAccess } from './payer-operation.ts';

/** What went wrong with a payer's form, without a word of what was answered. */
export interface FormFailure {
  /** syntax, runtime, time-limit, library-missing, expired, … */
  readonly kind: string;
  /** "Library|define", a canonical, or a FHIR type. */
  readonly place?: string | undefined;
  readonly linkId?: string | undefined;
  /** Position in the CQL. */
  readonly locator?: string | undefined;
}

export interface ErrorReports {
  start(): Promise<void>;
  /** Never waits for the payer and never throws: a report that cannot be sent is logged. */
  report(payerId: string, canonical: string, failures: readonly FormFailure[]): void;
}

interface ErrorReportOptions {
  readonly jobs: Jobs;
  readonly accessTo: (payerId: string) => PayerAccess | undefined;
  readonly log: Logger;
  readonly now: () => number;
  /** Public address of this server: where the trouble was met. */
  readonly baseUrl: string;
}

type ReportJob = { readonly payerId: string; readonly canonical: string; readonly at: string; readonly failures: readonly FormFailure[] };

const QUEUE = 'dtr-log-errors';
const TIMEOUT_MS = 10_000;
const MOST_FAILURES = 100;

export function createErrorReports({ jobs, accessTo, log, now, baseUrl }: ErrorReportOptions): ErrorReports {
  const send = async ({ payerId, canonical, at, failures }: ReportJob): Promise<void> => {
    const access = accessTo(payerId);
    if (!access) return;
    const reply = await callOperation(access.fetch, operationUrl(access, 'logErrors'), writeErrorReport(canonical, failures, at, baseUrl), TIMEOUT_MS, 'its log of errors');
    if (reply.kind === 'refused') log.warn({ payerId, questionnaire: canonical, status: reply.status }, 'the payer did not take a report of errors in its form');
  };
  return {
    async start() {
      await jobs.createQueue(QUEUE, { retryLimit: 3 });
      await jobs.work<ReportJob>(QUEUE, send, 1);
    },
    report(payerId, canonical, failures) {
      if (failures.length === 0) return;
      const job: ReportJob = { payerId, canonical, at: new Date(now()).toISOString().replace('Z', '+00:00'), failures: failures.slice(0, MOST_FAILURES) };
      jobs.createQueue(QUEUE, { retryLimit: 3 })
        .then(() => jobs.send(QUEUE, job))
        .catch((error: unknown) => log.warn({ err: error, questionnaire: canonical }, 'a report of errors in a payer’s form was not kept'));
    },
  };
}

/** $log-questionnaire-errors. Part names in lower case, as the profile and its example have them. */
export function writeErrorReport(canonical: string, failures: readonly FormFailure[], at: string, baseUrl: string): Parameters {
  const source = `${APP_NAME} ${APP_VERSION}; ${at}; ${baseUrl}`;
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'questionnaire', valueCanonical: canonical },
      {
        name: 'operationOutcome',
        resource: {
          resourceType: 'OperationOutcome',
          issue: failures.map(({ kind, place, linkId, locator }) => ({
            severity: 'error',
            code: ISSUE_TYPES[kind] ?? 'processing',
            details: {
              ...(kind === 'syntax' ? { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/operation-outcome', code: 'MSG_BAD_SYNTAX' }] } : {}),
              text: kind,
            },
            diagnostics: source,
...expressionOf(linkId, place, locator),
          })),
        },
      },
    ],
  };
}

function expressionOf(linkId: string | undefined, place: string | undefined, locator: string | undefined): { expression?: string[] } {
  const expression = [linkId === undefined ? undefined : `Questionnaire.descendants().where(linkId='${linkId.replaceAll("'", "\\'")}')`, place, locator].filter((each) => each !== undefined);
  return expression.length > 0 ? { expression } : {};
}

const ISSUE_TYPES: Readonly<Record<string, 'invalid' | 'not-found' | 'timeout' | 'exception' | 'not-supported' | 'expired' | 'incomplete'>> = {
  syntax: 'invalid', runtime: 'exception', 'time-limit': 'timeout', 'library-missing': 'not-found', 'library-empty': 'incomplete', 'library-twice': 'invalid',
  'value-set-missing': 'not-found', 'data-unavailable': 'incomplete', 'language-unknown': 'not-supported', expired: 'expired', expression: 'exception', oscillation: 'exception', 'adaptive-url': 'invalid',
};
