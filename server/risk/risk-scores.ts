import type { Logger } from 'pino';
import { calendarDay } from '#prior-auth/coverage-requirement/calendar-day.ts';
import { toDenialRiskFacts } from '#prior-auth/coverage-requirement/denial-risk-facts.ts';
import { determine } from '#prior-auth/coverage-requirement/determine.ts';
import { readChart } from '#prior-auth/coverage-requirement/evidence.ts';
import type { PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { DenialRisk } from '#prior-auth/learning/denial-risk.ts';
import type { DenialRiskModel } from '#models/serve/denial-risk-model.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import type { EhrClient } from '../ehr/ehr-client.ts';
import type { CaseRecord } from '../ehr/gather-submission.ts';
import type { TimeZoneOf } from '../store/case-clock.ts';
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
  readonly policies: PolicyLibrary;
  readonly timeZoneOf: TimeZoneOf;
  readonly audit: AuditTrail;
  readonly log: Logger;
  readonly now: () => number;
}

const EVIDENCE_TYPES = ['Condition', 'Observation', 'Procedure', 'DiagnosticReport', 'DocumentReference', 'MedicationRequest'] as const;

export function createRiskScores({ store, model, policies, timeZoneOf, audit, log, now }: RiskScoresOptions): RiskScores {
  const db = store.db.withTables<CaseTables>();
  const scoring = new Map<string, Promise<void>>();

  const score = async (model: DenialRiskModel, priorAuthCase: PriorAuthCase, ehr: EhrClient, record: CaseRecord, who: string): Promise<void> => {
    const { service, requirement, patient, payer } = priorAuthCase;
    const found = await Promise.all(EVIDENCE_TYPES.map((type) => ehr.search(type, { patient: `Patient/${patient.id}` })));
    const today = calendarDay(now(), timeZoneOf(payer.id));
    const determination = determine(policies, {
      order: record.order,
      service,
      coverage: requirement.coverage,
      payer,
      patient: record.patient,
      chart: () => readChart(found.flat()),
      today,
      assertionId: requirement.assertionId,
    });
    const facts = toDenialRiskFacts(determination, service, record.patient, today);
    const risk = await model.score(facts);
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
