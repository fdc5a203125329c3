import { randomUUID } from 'node:crypto';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { type RequestHandler, Router } from 'express';
import type { Logger } from 'pino';
import { fhirBody, fhirErrors, sendResource, wantsJson } from '../fhir-http.ts';
import { PayerError } from '../payer-error.ts';
import { readFormLibrary } from '../questionnaires/form-library.ts';
import { buildPackages } from './build-package.ts';
import { chooseForms, readFormsByService } from './choose-forms.ts';
import { readPackageRequest } from './package-request.ts';

export interface QuestionnairePackageOptions {
  /** Origin of the server, without a slash at the end. */
  readonly baseUrl: string;
  /** Folder of policy files (*.json). */
  readonly policyFolder: string;
  /** Lets a caller through who may read questionnaires (system/Questionnaire.rs). */
  readonly authorise: RequestHandler;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** DTR 2.0.1 payer service: packages, the artifacts they are made of, and the log of what went wrong in a form. */
export function questionnairePackageRouter(options: QuestionnairePackageOptions): Router {
  const { baseUrl, authorise, log, now } = options;
  const fhirBase = `${baseUrl}/payer/fhir`;
  const library = readFormLibrary();
  const formsByService = readFormsByService(options.policyFolder);
  const artifacts: readonly Resource[] = library.forms.flatMap(({ questionnaire, libraries, valueSets }) => [questionnaire, ...libraries, ...valueSets]);
  const router = Router();

  router.post('/payer/fhir/Questionnaire/$questionnaire-package', authorise, ...fhirBody('2mb'), (req, res) => {
    const request = readPackageRequest(req.body);
    const chosen = chooseForms(request, library, formsByService, new Date(now()).toISOString().slice(0, 10));
    sendResource(res, 200, buildPackages(chosen, request, { fhirBase, nowMs: now(), newId: randomUUID }));
  });

  router.post('/payer/fhir/Questionnaire/$log-questionnaire-errors', authorise, ...fhirBody('200kb'), (req, res) => {
    const report = readErrorReport(req.body);
    log.warn(report, 'a receiver reports errors in a questionnaire');
    res.status(204).end();
  });

  for (const type of ['Questionnaire', 'Library', 'ValueSet'] as const) {
    router.get(`/payer/fhir/${type}`, authorise, wantsJson, (req, res) => {
      const { url } = req.query;
      if (typeof url !== 'string' || url === '') throw new PayerError(400, { code: 'required', text: 'Search with one url=, a canonical with or without |version.' });
      const found = new Map(artifacts.filter((one) => one.resourceType === type && answersTo(one, url)).map((one) => [one.id, one]));
      const bundle: Bundle = {
        resourceType: 'Bundle', type: 'searchset', total: found.size,
        entry: [...found.values()].map((resource) => ({ fullUrl: `${fhirBase}/${type}/${resource.id}`, resource, search: { mode: 'match' } })),
      };
      sendResource(res, 200, bundle);
    });
    router.get(`/payer/fhir/${type}/:id`, authorise, wantsJson, (req, res) => {
      const found = artifacts.find((one) => one.resourceType === type && one.id === req.params['id']);
      if (!found) throw new PayerError(404, { code: 'not-found', text: `There is no ${type} with this id.` });
      sendResource(res, 200, found);
    });
  }
  router.use(['/payer/fhir/Questionnaire', '/payer/fhir/Library', '/payer/fhir/ValueSet'], fhirErrors(log));
  return router;
}

function answersTo(resource: Resource, canonical: string): boolean {
  const [url, version] = canonical.split('|');
  return 'url' in resource && resource.url === url && (version === undefined || ('version' in resource && resource.version === version));
}

/** Codes and places only are kept: a sender should leave patient data out, and this makes sure. */
function readErrorReport(body: unknown): { questionnaire: string; issues: { code: string; expression: string[] }[] } {
  const parts: unknown = typeof body === 'object' && body !== null && 'resourceType' in body && body.resourceType === 'Parameters' && 'parameter' in body ? body.parameter : undefined;
  if (!Array.isArray(parts)) throw new PayerError(400, { code: 'structure', text: 'Send Parameters with questionnaire and operationOutcome.', expression: 'Parameters' });
  const named = (name: string) => parts.find((part: unknown): part is Record<string, unknown> => isRecord(part) && String(part['name']).toLowerCase() === name);
  const questionnaire = named('questionnaire')?.['valueCanonical'];
  const outcome = named('operationoutcome')?.['resource'];
  if (typeof questionnaire !== 'string') throw new PayerError(400, { code: 'required', text: 'questionnaire carries a valueCanonical.', expression: 'Parameters.parameter' });
  if (!isRecord(outcome) || outcome['resourceType'] !== 'OperationOutcome' || !Array.isArray(outcome['issue'])) {
    throw new PayerError(400, { code: 'required', text: 'operationOutcome carries an OperationOutcome.', expression: 'Parameters.parameter' });
  }
  const issues = outcome['issue'].filter(isRecord).slice(0, 50).map((issue) => ({
    code: String(issue['code']).slice(0, 50),
    expression: (Array.isArray(issue['expression']) ? issue['expression'] : []).map((one: unknown) => String(one).slice(0, 200)),
  }));
  return { questionnaire: questionnaire.slice(0, 300), issues };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
