import type { DocumentReference, Resource } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { relativeReference } from '#fhir/base/reference.ts';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { AnswerFile } from '#prior-auth/panel-api.ts';
import type { AskedContent } from '#prior-auth/payer-decision/answer-information-request.ts';
import type { InformationRequest } from '#prior-auth/payer-decision/information-request.ts';
import { writeResponse } from '#prior-auth/questionnaire/dtr-versions/write-response.ts';
import type { EhrClient } from '../ehr/ehr-client.ts';
import { isOf } from '../ehr/gather-submission.ts';
import { answerAsk as sendAnswer } from '../pas/case-actions/answer-ask.ts';
import { checkFiles } from './answer-files.ts';
import { caseActionCall } from './case-steps.ts';
import { viewCase } from './case-view.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';
import { gatherSubmission } from './submission-input.ts';

/** What a person chose to answer an ask with: entries of the record, files, a note as a document of its own; for a form, the form as it was completed. */
export function answerAsk(parts: PanelParts): PanelHandler<'answerAsk'> {
  return async ({ caseVersion, askId, references, files, note, code }, call) => {
    const { caseId, patientId, ehr, session: { user } } = call;
    checkFiles(files);
    const priorAuthCase = await parts.cases.read(caseId);
    const ask = askOf(priorAuthCase, askId);
    const kind = ask.wants.kind === 'attachment' ? ask.wants.codes.find((each) => each.code === code) : undefined;
    if (code !== undefined && !kind) throw new PriorAuthError('REQUEST_INVALID', 'code: the payer did not ask for a document of this kind.', { nextStep: 'Choose one of the kinds that the payer named.' });
    const entries = await Promise.all([...new Set(references)].map((reference) => readEntry(ehr, patientId, reference)));
    const made = [...files, ...(note === undefined ? [] : [{ title: 'Note', contentType: 'text/plain', data: Buffer.from(note, 'utf8').toString('base64') } as const])];
    const documents = made.map((file) => documentOf(file, { patientId, author: user.name, date: new Date(parts.now()).toISOString(), kind: kind ?? onlyKind(ask) }));
    const form = ask.wants.kind === 'questionnaire' ? await completedForm(parts, priorAuthCase, askId) : [];
    const contents: AskedContent[] = [...form, ...entries, ...documents].map((resource) => ({ resource, ...(kind ? { code: kind } : {}) }));
    if (contents.length === 0) throw new PriorAuthError('REQUEST_INVALID', 'Nothing was chosen to answer with.', { nextStep: 'Choose a document, add a file or write a note.' });
    if (references.length > 0) parts.audit.record({ action: 'record-read', who: user.reference, what: references, caseId });
    const answered = await sendAnswer(parts, caseActionCall(call, caseVersion), { askId, contents, gather: (whole) => gatherSubmission(parts, ehr, whole) });
    return viewCase(parts, answered);
  };
}

/** Throws REQUEST_INVALID when the payer asks for nothing of this id. */
export function askOf({ state }: PriorAuthCase, askId: string): InformationRequest {
  const ask = state.kind === 'pended' ? state.asks?.find(({ id }) => id === askId) : undefined;
  if (!ask) throw new PriorAuthError('REQUEST_INVALID', 'askId: the payer asks for nothing of this id.', { nextStep: 'Load the case again.' });
  return ask;
}

function onlyKind({ wants }: InformationRequest): { readonly system: string; readonly code: string } | undefined {
  return wants.kind === 'attachment' && wants.codes.length === 1 ? wants.codes[0] : undefined;
}

/** A document comes with its content inside: the payer cannot read the record. Another patient's entry is answered like one that does not exist. */
async function readEntry(ehr: EhrClient, patientId: string, reference: string): Promise<Resource> {
  const resource = await ehr.follow(reference);
  if (!resource || !isOf(resource, patientId)) throw new PriorAuthError('SOURCE_NOT_FOUND', 'The record has no such entry.', { nextStep: 'Choose another: it may have been corrected or removed.' });
  if (resource.resourceType !== 'DocumentReference') return resource;
  const content = await Promise.all(resource.content.map(async (one) => {
    const { data, url, ...rest } = one.attachment;
    if (data !== undefined) return one;
    const binary = url === undefined || relativeReference(url)?.startsWith('Binary/') !== true ? undefined : await ehr.follow(url);
    if (binary?.resourceType !== 'Binary' || binary.data === undefined) return one;
    return { ...one, attachment: { ...rest, contentType: rest.contentType ?? binary.contentType, data: binary.data } };
  }));
  return { ...resource, content };
}

interface AboutDocument {
  readonly patientId: string;
  readonly author: string;
  readonly date: string;
  readonly kind: { readonly system: string; readonly code: string } | undefined;
}

function documentOf({ title, contentType, data }: AnswerFile, { patientId, author, date, kind }: AboutDocument): DocumentReference {
  return {
    resourceType: 'DocumentReference',
    status: 'current',
    type: kind?.system === CODE_SYSTEMS.loinc ? { coding: [kind] } : { text: title },
    subject: { reference: `Patient/${patientId}` },
    date,
    author: [{ display: author }],
    content: [{ attachment: { contentType, title, data, creation: date } }],
  };
}

async function completedForm(parts: PanelParts, { id, payer }: PriorAuthCase, askId: string): Promise<readonly Resource[]> {
  const form = (await parts.forms.list(id)).find(({ package: { ask } }) => ask === askId);
  if (!form?.completed) throw new PriorAuthError('QUESTIONNAIRE_INCOMPLETE', 'The form that the payer asks for is not completed.', { nextStep: 'Open the payer’s form and complete it.' });
  return [writeResponse(parts.payerAccess(payer.id)?.dtr.version ?? '2.0.1', form.response)];
}
