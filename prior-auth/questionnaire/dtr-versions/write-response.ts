import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import type { DtrVersion } from '../../coverage-requirement/payer.ts';
import { writeResponse201 } from './write-response-2-0-1.ts';
import { writeResponse22 } from './write-response-2-2.ts';

const WRITERS: { readonly [V in DtrVersion]: (response: QuestionnaireResponse) => QuestionnaireResponse } = { '2.0.1': writeResponse201, '2.2': writeResponse22 };

/** The response as a payer of that version, or an EHR that will show it to one, expects it. */
export function writeResponse(version: DtrVersion, response: QuestionnaireResponse): QuestionnaireResponse {
  return WRITERS[version](response);
}
