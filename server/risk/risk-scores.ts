import type { Logger } from 'pino';
import { specialtyCode, toDenialRiskFacts } from '#prior-auth/coverage-requirement/denial-risk-facts.ts';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { DenialRisk } from '#prior-auth/learning/denial-risk.ts';
import type { DenialRiskModel } from '#models/serve/live-model.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import type { CaseDeterminer } from '../ehr/determine-case.ts';
import type { EhrClient } from '../ehr/ehr-client.ts';
import type { CaseRecord } from '../ehr/gather-submission.ts';
import type { CaseTables } from '../store/case-tables.ts';

export interface RiskScores {
  /** As last scored; waits for a scoring that is under way. */
  read(caseId: string): Promise<DenialRisk | null>;
  /** Scores what the record says now, in the background. A failure leaves the case without a new score: it is advice, never a condition. */
  begin(priorAuthCase: PriorAuthCase, ehr: EhrClient, record: CaseRecord, who: string): void;
  /** Waits for what is under way. */
  settle(): Promise<void>;
}

export interface RiskScoresOptions {
  readonly store: Store;
  readonly model: DenialRiskModel | undefined;
  readonly determineCase: CaseDeterminer;
  readonly audit: AuditTrail;
  readonly log: Logger;
}

export function createRiskScores({ store, model, determineCase, audit, log }: RiskScoresOptions): RiskScores {
  const db = store.db.withTables<CaseTables>();
  const scoring = new Map<string, Promise<void>>();

  const score = async (model: DenialRiskModel, priorAuthCase: PriorAuthCase, ehr: EhrClient, record: CaseRecord, who: string): Promise<void> => {
    const { determination, today } = await determineCase(priorAuthCase, ehr, record);
    const facts = toDenialRiskFacts(determination, priorAuthCase.service, record.patient, today, { follows: priorAuthCase.follows, requesterSpecialty: specialtyCode(record.practitionerRole) });
    const risk = await model.score(facts, { clinicId: priorAuthCase.ehrBase, caseId: priorAuthCase.id });
    await db.updateTable('cases.prior_auth_case').set({ risk: JSON.stringify(risk), risk_facts: JSON.stringify(facts) }).where('id', '=', priorAuthCase.id).execute();
    audit.record({ action: 'denial-risk-scored', who, caseId: priorAuthCase.id, details: { model: risk.modelVersion, band: risk.band, simulated: risk.simulated } });
  };

  return {
    async read(caseId) {
      await scoring.get(caseId);
      const row = await db.selectFrom('cases.prior_auth_case').select('risk').where('id', '=', caseId).executeTakeFirst();
      return row?.risk ?? null;
    },
    begin(priorAuthCase, ehr, record, who) {
      const { id, state } = priorAuthCase;
      // What was known when the request was sent stays; a score after the answer would be no forecast.
      const open = state.kind === 'questionnaire' || state.kind === 'ready' || state.kind === 'refused';
      if (!model || !open || scoring.has(id)) return;
      const running = score(model, priorAuthCase, ehr, record, who)
        .catch((error: unknown) => log.warn({ err: error, caseId: id }, 'denial risk not scored'))
        .finally(() => scoring.delete(id));
      scoring.set(id, running);
    },
    async settle() {
      await Promise.all(scoring.values());
    },
  };
}
