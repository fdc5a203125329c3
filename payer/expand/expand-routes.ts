import { randomUUID } from 'node:crypto';
import type { ValueSet } from '@medplum/fhirtypes';
import { type RequestHandler, Router } from 'express';
import { fhirBody, sendResource, wantsJson } from '../fhir-http.ts';
import { PayerError } from '../payer-error.ts';
import type { FormLibrary } from '../questionnaires/form-library.ts';
import type { ServedAt } from '../questionnaires/serve-form.ts';
import { type ExpandRequest, expandValueSet } from './expand-value-set.ts';
import { readExpandParameters, readExpandQuery } from './read-expand-request.ts';

interface ExpandOptions {
  readonly at: ServedAt;
  readonly library: FormLibrary;
  readonly authorise: RequestHandler;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** ValueSet/$expand by url and ValueSet/[id]/$expand, GET and POST, of the value sets that this payer's forms use. */
export function expandRoutes({ at, library, authorise, now }: ExpandOptions): Router {
  const router = Router();
  const answer = (request: ExpandRequest): ValueSet => {
    const valueSet = library.findValueSet(request.url);
    if (!valueSet) throw new PayerError(404, { code: 'not-found', text: 'There is no value set with this url and version here.', expression: 'url' });
    return expandValueSet(valueSet, request, { nowMs: now(), newId: randomUUID });
  };
  const ofInstance = (id: string | string[] | undefined): string => {
    const found = library.valueSets.find((one) => one.id === id);
    if (!found?.url) throw new PayerError(404, { code: 'not-found', text: 'There is no ValueSet with this id.' });
    return `${found.url}|${found.version}`;
  };
  const path = `${at.dtr.basePath}/ValueSet`;
  router.get(`${path}/$expand`, authorise, wantsJson, (req, res) => sendResource(res, 200, answer(readExpandQuery(req.query))));
  router.post(`${path}/$expand`, authorise, ...fhirBody('100kb'), (req, res) => sendResource(res, 200, answer(readExpandParameters(req.body))));
  router.get(`${path}/:id/$expand`, authorise, wantsJson, (req, res) => sendResource(res, 200, answer(readExpandQuery(req.query, ofInstance(req.params['id'])))));
  router.post(`${path}/:id/$expand`, authorise, ...fhirBody('100kb'), (req, res) => sendResource(res, 200, answer(readExpandParameters(req.body, ofInstance(req.params['id'])))));
  return router;
}
