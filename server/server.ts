import type { Organization } from '@medplum/fhirtypes';
import { Router } from 'express';
import type { Logger } from 'pino';
import { type AppealOutlooks, openAppealOutlooks } from '#models/appeals/appeal-outlook.ts';
import type { DenialRiskModel } from '#models/serve/live-model.ts';
import type { DiagnosisMap } from '#prior-auth/pas-bundle/diagnosis-map.ts';
import type { PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import type { PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import type { Jobs } from '#store/jobs.ts';
import { migratePart } from '#store/migrate.ts';
import { openKeyRing } from '#store/signing-keys.ts';
import { ehrsAdminRouter } from './admin/ehrs-router.ts';
import { payersAdminRouter } from './admin/payers-router.ts';
import { DEMONSTRATION_CLINIC } from './clinic.ts';
import { DTR_CLIENT } from './connections/our-client.ts';
import type { PayerConnections } from './connections/payer-connections.ts';
import { createCaseDeterminer } from './ehr/determine-case.ts';
import { createSubmissionGatherer } from './ehr/gather-submission.ts';
import { readPayor } from './ehr/read-launch.ts';
import { sessionEhrOpener } from './ehr/session-ehr.ts';
import { pasMetricsRouter } from './metric-data/metrics-router.ts';
import { createEhrDrafts } from './panel-api/ehr-drafts.ts';
import { createHandOvers } from './panel-api/hand-overs.ts';
import type { PanelParts } from './panel-api/panel-parts.ts';
import { panelRouter } from './panel-api/panel-router.ts';
import { payerAccess } from './payer-access.ts';
import { supportedPayersRouter } from './panel-api/supported-payers.ts';
import { createPasSender } from './pas/sender.ts';
import { createPayerClient } from './payer/payer-client.ts';
import { createOptionSearch } from './questionnaire/expand-value-set.ts';
import { DTR_MIGRATIONS, openMetricLog } from './questionnaire/metric-log.ts';
import { createQuestionnaireService } from './questionnaire/questionnaire-service.ts';
import { createErrorReports } from './questionnaire/report-errors.ts';
import { createRiskScores } from './risk/risk-scores.ts';
import type { SmartClientIdentity } from './smart/authorization.ts';
import { type EhrRegistration, originsOf } from './smart/ehr-registration.ts';
import { launchRouter } from './smart/launch-router.ts';
import { panelLaunch } from './smart/panel-launch.ts';
import { openRegisteredEhrs } from './smart/registered-ehrs.ts';
import { createSessions, type Sessions } from './smart/sessions.ts';
import { signInRouter } from './smart/sign-in.ts';
import { createCasePort } from './store/case-answers.ts';
import { createCaseStore } from './store/cases.ts';
import { createPeople, type People } from './store/people.ts';
import { createFormStore } from './store/forms.ts';
import { createHandOverStore } from './store/hand-overs.ts';
import { createReviewChoiceStore, REVIEW_MIGRATIONS } from './store/review-choices.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS, SESSION_MIGRATIONS } from './store/migrations.ts';
import { createWorklistServer } from './work/worklist-router.ts';
import { worklistSignIn } from './work/worklist-sign-in.ts';

export interface ServerOptions {
  readonly store: Store;
  readonly jobs: Jobs;
  /** Public address, no trailing slash. */
  readonly baseUrl: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly audit: AuditTrail;
  readonly policies: PolicyLibrary;
  readonly payers: PayerDirectory;
  /** The same payers where they can be changed: with it and `adminToken` there is /admin/payers. */
  readonly connections?: PayerConnections | undefined;
  /** Without it cases have no denial risk. */
  readonly model?: DenialRiskModel | undefined;
  readonly ehrs: readonly EhrRegistration[];
  /** JSON file of more EHRs, read again when it changes. */
  readonly ehrsFile?: string | undefined;
  /** SNOMED CT to ICD-10-CM, for reasons that the record codes in SNOMED CT alone. */
  readonly diagnosisMap?: DiagnosisMap;
  /** Opens /admin/ehrs to who has it. Without it there is no such page. */
  readonly adminToken?: string | undefined;
  /** Who submits, where the EHR does not say. */
  readonly clinic?: Organization;
  /** Milliseconds between two inquiries about a pended case. */
  readonly inquiryIntervalMs?: number;
}

/** Structurally a Part of start/. */
export interface ServerPart {
  readonly name: string;
  readonly router: Router;
  /** Origins of the registered EHRs: their pages may show the panel in a frame. */
  readonly frameOrigins: () => readonly string[];
  start(): Promise<void>;
  stop(): Promise<void>;
}

const CLEANING_MS = 60_000;
/** How soon a registration or a key that was changed in another process holds in this one. */
const RELOAD_MS = 5_000;

/** The panel's and the worklist's server, and the sender to payers: the only place that puts them together. */
export async function createServer(options: ServerOptions): Promise<ServerPart> {
  const { store, jobs, baseUrl, log, now, audit, policies, payers, model } = options;
  await migratePart(store, 'cases', CASE_MIGRATIONS);
  await migratePart(store, 'learning', LEARNING_MIGRATIONS);
  await migratePart(store, 'review', REVIEW_MIGRATIONS);
  await migratePart(store, 'panel', SESSION_MIGRATIONS);
  await migratePart(store, 'dtr', DTR_MIGRATIONS);
  const keys = await openKeyRing(store, 'server', ['ES384', 'RS384'], now);
  const timeZoneOf = (payerId: string) => payers.byId(payerId)?.timeZone ?? 'UTC';

  const cases = createCaseStore(store, now, timeZoneOf);
  const people = createPeople(store);
  const sessions = withNamesKept(createSessions(store, now), people);
  const ehrs = await openRegisteredEhrs({
    store, audit, now, builtIn: options.ehrs, file: options.ehrsFile,
    onFileFault: (error) => log.error({ file: error.message }, 'the EHRs file cannot be used; what it said before is in force'),
    onUnreadable: (row) => log.error(row, 'a registered EHR cannot be read by this version of the program; nothing is launched from it'),
  });
  const identity: SmartClientIdentity = { baseUrl, keys, now };
  const openEhr = sessionEhrOpener(identity, sessions, ehrs);
  const questionnaires = await createQuestionnaireService({ store, log, now });
  const sender = await createPasSender({
    store, jobs, baseUrl, log, now, audit, payers, keys, cases: createCasePort(cases, now, (payerId) => payers.byId(payerId)?.fhirBase.startsWith(`${baseUrl}/`) === true), diagnosisMap: options.diagnosisMap,
    ...(options.inquiryIntervalMs === undefined ? {} : { inquiryIntervalMs: options.inquiryIntervalMs }),
  });
  const determineCase = createCaseDeterminer({ policies, timeZoneOf, now });
  const risks = createRiskScores({ store, model, determineCase, audit, log });
  const accessTo = payerAccess(payers, createPayerClient({ ...DTR_CLIENT, keys, now }));
  const errorReports = createErrorReports({ jobs, accessTo, log, now, baseUrl });
  const metrics = openMetricLog(store, log, now);
  const forms = createFormStore(store, now);
  const ehrDrafts = createEhrDrafts({ cases, forms, store, audit, log, now, timeZoneOf, metrics, payerAccess: accessTo });
  const handOvers = createHandOvers({ cases, forms, ehrDrafts, store, audit, log, now, timeZoneOf, handOverStore: createHandOverStore(store, now) });
  const parts: PanelParts = {
    store, cases, people, risks, determineCase, questionnaires, sender, sessions, audit, log, now, timeZoneOf,
    forms, ehrDrafts, handOvers,
    appealOutlookOf: openAppeals(log),
    reviewChoices: createReviewChoiceStore(store, now),
    payerAccess: accessTo,
    payerOf: async (ehr, coverage) => payers.find(await readPayor(ehr, coverage)),
    optionSearch: createOptionSearch(now),
    errorReports,
    metrics,
    gatherer: createSubmissionGatherer(payers, options.clinic ?? DEMONSTRATION_CLINIC),
  };

  const worklist = createWorklistServer({ ...parts, payerName: (payerId) => payers.byId(payerId)?.name ?? payerId }, baseUrl);

  const router = Router();
  const launching = { parts, ehrs, payers, openSession: openEhr, baseUrl };
  const common = { identity, sessions, audit, log };
  router.use(signInRouter({ ...common, kind: 'panel', path: '/panel', ...panelLaunch(launching) }));
  router.use(signInRouter({ ...common, kind: 'work', path: '/work', ...worklistSignIn(sessions, ehrs, baseUrl, now) }));
  router.use(supportedPayersRouter(payers));
  router.use(launchRouter(launching));
  if (options.adminToken !== undefined) router.use(pasMetricsRouter({ adminToken: options.adminToken, store, audit, log, now, timeZoneOf }));
  if (options.adminToken !== undefined) router.use(ehrsAdminRouter({ adminToken: options.adminToken, ehrs, baseUrl, audit, log, now }));
  if (options.adminToken !== undefined && options.connections) {
    router.use(payersAdminRouter({ adminToken: options.adminToken, connections: options.connections, keys, clinic: options.clinic ?? DEMONSTRATION_CLINIC, store, baseUrl, audit, log, now, subscriptionHealth: () => sender.subscriptionHealth() }));
  }
  router.use(panelRouter(parts, openEhr, baseUrl));
  router.use(worklist.router);
  router.use(sender.router);

  const cleaning = () => sessions.removeExpired().catch((error: unknown) => log.error({ err: error }, 'ended sessions not removed'));
  let timer: NodeJS.Timeout | undefined;
  let reloading: NodeJS.Timeout | undefined;
  return {
    name: 'server',
    router,
    frameOrigins: () => ehrs.list().flatMap(({ ehr }) => (ehr.disabled === true ? [] : originsOf(ehr))),
    async start() {
      reloading = setInterval(() => {
        ehrs.reload().catch((error: unknown) => log.error({ err: error }, 'registered EHRs not read again'));
        keys.reload().catch((error: unknown) => log.error({ err: error }, 'signing keys not read again'));
      }, RELOAD_MS);
      reloading.unref();
      timer = setInterval(cleaning, CLEANING_MS);
      timer.unref();
      await sender.start();
      await errorReports.start();
      questionnaires.warmUp().catch((error: unknown) => log.error({ err: error }, 'the questionnaire worker did not start'));
    },
    async stop() {
      clearInterval(timer);
      clearInterval(reloading);
      ehrs.stop();
      worklist.stop();
      await risks.settle();
      await ehrDrafts.settle();
      await sender.stop();
      await metrics.settle();
      await questionnaires.stop();
    },
  };
}

/** Who signs in is known by name from then on. */
function withNamesKept(sessions: Sessions, people: People): Sessions {
  return {
    ...sessions,
    async begin(session) {
      await people.keep(session.ehrBase, session.user);
      return sessions.begin(session);
    },
  };
}

/** Advice on appeals is no condition of anything: a broken model leaves it out. */
function openAppeals(log: Logger): AppealOutlooks | undefined {
  try {
    return openAppealOutlooks();
  } catch (error) {
    log.error({ err: error }, 'the appeal model could not be opened; denied cases show no outlook');
    return undefined;
  }
}
