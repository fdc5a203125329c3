import { Router } from 'express';
import { PAS_BASE_PATHS, type PasEndpoints } from './pas-version.ts';
import { DTR_2_0_1, DTR_2_2_0_WITH_PAS } from './questionnaires/dtr-version.ts';
import { PAYER_ID_SYSTEM } from './terms.ts';

/** HRex `/.well-known/davinci-configuration`: which address speaks which version. Served at the origin and under each PAS base. */
export function discoveryRoutes(baseUrl: string, endpoints: PasEndpoints): Router {
  const router = Router();
  const configuration = {
    resourceType: 'http://hl7.org/fhir/us/davinci-hrex/StructureDefinition/HRexWellknownDefinition',
    identifier: { system: PAYER_ID_SYSTEM, value: 'open-prior-auth' },
    endpoints: {
      'davinci_pas_submission_endpoint#2.0': endpoints['2.0.1'].fhirBase,
      'davinci_pas_submission_endpoint#2.2': endpoints['2.2.1'].fhirBase,
      'davinci_dtr_qpackage_endpoint#2.0': `${baseUrl}${DTR_2_0_1.basePath}`,
      'davinci_dtr_qpackage_endpoint#2.2': `${baseUrl}${DTR_2_2_0_WITH_PAS.basePath}`,
      'davinci_cdex_attachsubmit_endpoint#2.1': endpoints['2.2.1'].fhirBase,
    },
  };
  router.get(['', '/payer', ...Object.values(PAS_BASE_PATHS)].map((path) => `${path}/.well-known/davinci-configuration`), (_req, res) => {
    res.set('Cache-Control', 'public, max-age=300').json(configuration);
  });
  return router;
}
