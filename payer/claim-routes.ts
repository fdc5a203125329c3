import { Router } from 'express';
import type { MetricExchange } from '#fhir/pas/metric-data.ts';
import { takeAttachments } from './ask/take-attachments.ts';
import { recordAudit } from './audit.ts';
import { fhirBody, sendResource, sendResourceText } from './fhir-http.ts';
import { inquireClaim } from './inquire/inquire-claim.ts';
import { type AnsweredExchange, recordExchanges } from './metric-data/record-exchanges.ts';
import type { PasEndpoint } from './pas-version.ts';
import type { PayerSetting } from './payer-setting.ts';
import { PayerError } from './payer-error.ts';
import { submitClaim } from './submit/submit-claim.ts';
import { callerOf, type RequireToken } from './token/access-token.ts';

const PAS_BUNDLE_LIMIT = '10mb';
const ATTACHMENTS_LIMIT = '25mb';

/** The PAS operations of one address. `onAnswered` is told when events may be due. */
export function claimRoutes(setting: PayerSetting, endpoint: PasEndpoint, requireToken: RequireToken, onAnswered: () => void): Router {
  const router = Router();
  /** Runs one operation and records what was exchanged; a refusal is recorded without a case, and leaves as it came. */
  const exchange = async <T>(kind: { readonly refusedAs: MetricExchange['type']; readonly action: 'claim-refused' | 'attachment-refused' }, clientId: string, work: () => Promise<T & { readonly exchanged: AnsweredExchange }>): Promise<T> => {
    const startedMs = setting.now();
    try {
      const done = await work();
      await recordExchanges(setting, startedMs, done.exchanged);
      return done;
    } catch (error) {
      if (error instanceof PayerError) {
        await recordAudit(setting.db, setting.now(), { action: kind.action, who: clientId, outcome: 'refused' });
        await recordExchanges(setting, startedMs, { type: kind.refusedAs, chainIds: [null], httpResponse: error.status, issues: error.problems.map(({ code }) => code ?? 'unknown') });
      }
      throw error;
    }
  };

  router.post(`${endpoint.basePath}/Claim/$submit`, requireToken('system/Claim.c'), ...fhirBody(PAS_BUNDLE_LIMIT), async (req, res) => {
    const stop = setting.metrics.submitSeconds.startTimer();
    try {
      const { answer } = await exchange({ refusedAs: 'initial', action: 'claim-refused' }, callerOf(res), async () => {
        const submitted = await submitClaim(setting, endpoint, callerOf(res), req.body);
        return { ...submitted, exchanged: { type: submitted.type, chainIds: [submitted.chainId], aaaCodes: submitted.refusals } };
      });
      sendResourceText(res, 200, answer);
    } finally {
      stop();
    }
  });
  router.post(`${endpoint.basePath}/Claim/$inquire`, requireToken('system/Claim.c'), ...fhirBody(PAS_BUNDLE_LIMIT), async (req, res) => {
    const { resource } = await exchange({ refusedAs: 'query', action: 'claim-refused' }, callerOf(res), async () => {
      const inquired = await inquireClaim(setting, endpoint, callerOf(res), req.body);
      return { ...inquired, exchanged: { type: 'query', chainIds: inquired.chainIds } };
    });
    sendResource(res, 200, resource);
  });
  router.post(`${endpoint.basePath}/$submit-attachment`, requireToken('system/Claim.c'), ...fhirBody(ATTACHMENTS_LIMIT), async (req, res) => {
    const { outcome } = await exchange({ refusedAs: 'initialDocToPayer', action: 'attachment-refused' }, callerOf(res), async () => {
      const attached = await takeAttachments(setting, callerOf(res), req.body);
      return { ...attached, exchanged: { type: 'initialDocToPayer', chainIds: [attached.chainId] } };
    });
    sendResource(res, 200, outcome);
    onAnswered();
  });
  return router;
}
