import { randomUUID } from 'node:crypto';
import type { Bundle } from '@medplum/fhirtypes';
import { type RequestHandler, type Response, Router } from 'express';
import type { Logger } from 'pino';
import { expandRoutes } from '../expand/expand-routes.ts';
import { fhirBody, fhirErrors, sendResource, wantsJson } from '../fhir-http.ts';
import { nextQuestionRoutes } from '../next-question/next-question-routes.ts';
import { PayerError } from '../payer-error.ts';
import { DTR_2_0_1, DTR_2_2_0, DTR_2_2_0_WITH_PAS, type DtrVersion } from '../questionnaires/dtr-version.ts';
import { answersTo, type FormLibrary, readFormLibrary } from '../questionnaires/form-library.ts';
import { servedLibrary } from '../questionnaires/serve-form.ts';
import { buildPackages } from './build-package.ts';
import { chooseForms, type FormsByService, readFormsByService } from './choose-forms.ts';
import type { DeterminationRecord } from './determination-record.ts';
import { readErrorReport } from './error-report.ts';
import { readPackageRequest } from './package-request.ts';

export interface QuestionnairePackageOptions {
  /** Origin of the server, without a slash at the end. */
  readonly baseUrl: string;
  /** Folder of policy files (*.json). */
  readonly policyFolder: string;
  /** Folder of forms as form-library.ts reads it; default: this payer's own. */
  readonly formFolder?: string | undefined;
  /** Where determinations of adaptive forms are kept. Absent: they are given and forgotten, and no context is known. */
  readonly determinations?: ((caller: Response) => DeterminationRecord) | undefined;
  /** Lets a caller through who may read questionnaires (system/Questionnaire.rs). */
  readonly authorise: RequestHandler;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** DTR payer service, both versions: packages, adaptive questions, value sets, the artifacts they are made of, and the log of what went wrong in a form. */
export function questionnairePackageRouter(options: QuestionnairePackageOptions): Router {
  const library = readFormLibrary(options.formFolder);
  const byService = readFormsByService(options.policyFolder);
  const router = Router();
  for (const dtr of [DTR_2_0_1, DTR_2_2_0, DTR_2_2_0_WITH_PAS]) addRoutes(router, dtr, library, byService, options);
  return router;
}

function addRoutes(router: Router, dtr: DtrVersion, forms: FormLibrary, byService: FormsByService, options: QuestionnairePackageOptions): void {
  const { baseUrl, authorise, log, now, determinations } = options;
  const { basePath } = dtr;
  const at = { dtr, fhirBase: `${baseUrl}${basePath}` };
  const library = servedLibrary(forms, at);

  router.post(`${basePath}/Questionnaire/$questionnaire-package`, authorise, ...fhirBody('2mb'), async (req, res) => {
    const request = readPackageRequest(req.body, dtr);
    const day = new Date(now()).toISOString().slice(0, 10);
    const chosen = await chooseForms(request, dtr, { library, byService, byAssertion: async (id) => determinations?.(res).questionnaireOf(id), day });
    sendResource(res, 200, buildPackages(chosen, request, { at, nowMs: now(), newId: randomUUID }));
  });

  router.post(`${basePath}/Questionnaire/$log-questionnaire-errors`, authorise, ...fhirBody('200kb'), (req, res) => {
    log.warn(readErrorReport(req.body, dtr), 'a receiver reports errors in a questionnaire');
    res.status(204).end();
  });

  router.use(nextQuestionRoutes({ at, library, authorise, now, determinations }));
  router.use(expandRoutes({ at, library, authorise, now }));

  const artifacts = {
    Questionnaire: library.forms.map(({ questionnaire }) => questionnaire),
    Library: [...new Map(library.forms.flatMap(({ libraries }) => libraries).map((one) => [one.id, one])).values()],
    ValueSet: library.valueSets,
  } as const;
  for (const type of ['Questionnaire', 'Library', 'ValueSet'] as const) {
    router.get(`${basePath}/${type}`, authorise, wantsJson, (req, res) => {
      const { url } = req.query;
      if (typeof url !== 'string' || url === '') throw new PayerError(400, { code: 'required', text: 'Search with one url=, a canonical with or without |version.' });
      const found = artifacts[type].filter((one) => answersTo(one, url));
      const bundle: Bundle = {
        resourceType: 'Bundle', type: 'searchset', total: found.length,
        entry: found.map((resource) => ({ fullUrl: `${at.fhirBase}/${type}/${resource.id}`, resource, search: { mode: 'match' } })),
      };
      sendResource(res, 200, bundle);
    });
    router.get(`${basePath}/${type}/:id`, authorise, wantsJson, (req, res) => {
      const found = artifacts[type].find((one) => one.id === req.params['id']);
      if (!found) throw new PayerError(404, { code: 'not-found', text: `There is no ${type} with this id.` });
      sendResource(res, 200, found);
    });
  }
  router.use(['Questionnaire', 'Library', 'ValueSet'].map((type) => `${basePath}/${type}`), fhirErrors(log));
}
