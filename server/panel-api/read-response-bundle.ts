import { answerReferences, writeResponseBundle } from '#prior-auth/questionnaire/dtr-versions/response-bundle.ts';
import { writeResponse } from '#prior-auth/questionnaire/dtr-versions/write-response.ts';
import { isOf } from '../ehr/gather-submission.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';

/** The form as it is shared with whoever its intendedUse names, apart from a request (DTR-QRBundle). */
export function readResponseBundle(parts: PanelParts): PanelHandler<'readResponseBundle'> {
  return async ({ formId }, { caseId, patientId, ehr, session: { ehrBase } }) => {
    const [priorAuthCase, form] = await Promise.all([parts.cases.read(caseId), parts.forms.read(caseId, formId)]);
    const version = parts.payerAccess(form.package.payerId ?? priorAuthCase.payer.id)?.dtr.version ?? '2.0.1';
    const referenced = await Promise.all(answerReferences(form.response).map((reference) => ehr.follow(reference)));
    const theirs = referenced.filter((resource) => resource !== undefined).filter((resource) => isOf(resource, patientId));
    const response = writeResponse(version, { ...form.response, id: form.ehrReference?.split('/')[1] ?? 'response' });
    return { bundle: writeResponseBundle(response, theirs, ehrBase) };
  };
}
