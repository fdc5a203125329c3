import type { Coverage } from '@medplum/fhirtypes';
import type { Logger } from 'pino';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import type { PanelMessage, PanelReplies, PanelRequest } from '#prior-auth/panel-api.ts';
import type { AppealOutlooks } from '#models/appeals/appeal-outlook.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import type { CaseDeterminer } from '../ehr/determine-case.ts';
import type { EhrClient } from '../ehr/ehr-client.ts';
import type { SubmissionGatherer } from '../ehr/gather-submission.ts';
import type { PasSender } from '../pas/sender.ts';
import type { QuestionnaireService } from '../questionnaire/questionnaire-service.ts';
import type { OptionSearch } from '../questionnaire/expand-value-set.ts';
import type { MetricLog } from '../questionnaire/metric-log.ts';
import type { PayerAccess } from '../questionnaire/payer-operation.ts';
import type { ErrorReports } from '../questionnaire/report-errors.ts';
import type { RiskScores } from '../risk/risk-scores.ts';
import type { Session, Sessions } from '../smart/sessions.ts';
import type { TimeZoneOf } from '../store/case-clock.ts';
import type { CaseStore } from '../store/cases.ts';
import type { FormStore } from '../store/forms.ts';
import type { People } from '../store/people.ts';
import type { ReviewChoiceStore } from '../store/review-choices.ts';
import type { EhrDrafts } from './ehr-drafts.ts';
import type { HandOvers } from './hand-overs.ts';

/** What handlers are made of. */
export interface PanelParts {
  readonly store: Store;
  readonly cases: CaseStore;
  readonly people: People;
  readonly forms: FormStore;
  readonly reviewChoices: ReviewChoiceStore;
  readonly ehrDrafts: EhrDrafts;
  readonly handOvers: HandOvers;
  readonly risks: RiskScores;
  /** Undefined where the appeal model could not be opened. */
  readonly appealOutlookOf: AppealOutlooks | undefined;
  readonly questionnaires: QuestionnaireService;
  /** Undefined for a payer that is not configured. */
  readonly payerAccess: (payerId: string) => PayerAccess | undefined;
  /** Undefined where the coverage's payor is no payer of this server. */
  readonly payerOf: (ehr: EhrClient, coverage: Coverage) => Promise<Payer | undefined>;
  readonly optionSearch: OptionSearch;
  /** For the payer whose form it is. */
  readonly errorReports: ErrorReports;
  readonly metrics: MetricLog;
  readonly sender: PasSender;
  readonly gatherer: SubmissionGatherer;
  readonly determineCase: CaseDeterminer;
  readonly sessions: Sessions;
  readonly audit: AuditTrail;
  readonly log: Logger;
  readonly now: () => number;
  readonly timeZoneOf: TimeZoneOf;
}

/** Who asks: a resumed session, its case, and the EHR with its rights. */
export interface PanelCall {
  readonly session: Session;
  readonly caseId: string;
  readonly patientId: string;
  readonly ehr: EhrClient;
}

export type PanelHandler<M extends PanelMessage> = (request: PanelRequest<M>, call: PanelCall) => Promise<PanelReplies[M]>;
