import { Router } from 'express';
import type { PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';

/** DTR 2.0.1, supported payers: an EHR asks about daily for which payers this app can be launched. */
export function supportedPayersRouter(directory: PayerDirectory): Router {
  const router = Router();
  router.get('/panel/supported-payers', (_request, response) => {
    response.json({ payers: directory.payers.map(({ id, name }) => ({ id, name })) });
  });
  return router;
}
