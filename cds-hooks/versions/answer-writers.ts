import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { writeRequirement201 } from '#prior-auth/coverage-requirement/write-requirement-2-0-1.ts';
import { writeRequirement22 } from '#prior-auth/coverage-requirement/write-requirement-2-2.ts';
import type { CrdVersion } from '../hook-call.ts';
import type { AnswerWriter } from './answer-writer.ts';

export const ANSWER_WRITERS: { readonly [V in CrdVersion]: AnswerWriter } = {
  '2.0': {
    version: '2.0',
    topic: (code, display) => ({ system: CRD_URLS.codesTemp, code, display }),
    associatedResources: (references) => references,
    coverageInformation: writeRequirement201,
    appointmentAnswerOn: 'appointment',
    statusNotConforming: 422,
  },
  '2.2': {
    version: '2.2',
    topic: (code, display) => ({ system: CRD_URLS.cardTypes, code, display }),
    associatedResources: (references) => references.map((reference) => ({ reference })),
    coverageInformation: writeRequirement22,
    appointmentAnswerOn: 'service-request',
    statusNotConforming: 400,
  },
};
