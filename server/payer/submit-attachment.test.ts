import { expect, it } from 'vitest';
import { attachmentTarget, readAttachmentAnswer } from './submit-attachment.ts';

const payer = { fhirBase: 'https://payer.example.org/fhir' };

it.each([
  ['nothing named', undefined, '$submit-attachment'],
  ['the payer’s base', 'https://payer.example.org/fhir/', '$submit-attachment'],
  ['the operation itself', 'https://payer.example.org/fhir/$submit-attachment', '$submit-attachment'],
  ['a place under the base', 'https://payer.example.org/fhir/cdex', 'cdex/$submit-attachment'],
  ['another host', 'https://evil.example.org/fhir/$submit-attachment', '$submit-attachment'],
  ['a host that only looks alike', 'https://payer.example.org.evil.example/fhir/x', '$submit-attachment'],
  ['a way up', 'https://payer.example.org/fhir/../admin', '$submit-attachment'],
  ['a query', 'https://payer.example.org/fhir/x?to=evil', '$submit-attachment'],
])('an answer goes under the configured address: %s', (_name, url, target) => {
  expect(attachmentTarget(payer, url)).toBe(target);
});

it('4XX is final, without the payer’s free text; what did not arrive goes again', () => {
  const body = JSON.stringify({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'not-found', diagnostics: 'Ada Example' }] });
  expect(readAttachmentAnswer({ kind: 'answered', status: 404, body })).toEqual({ kind: 'refused', reason: 'PAYER_REFUSED: HTTP 404, not-found' });
  expect(readAttachmentAnswer({ kind: 'unavailable', error: 'x' })).toEqual({ kind: 'retry', error: 'PAYER_UNAVAILABLE: x' });
  expect(readAttachmentAnswer({ kind: 'answered', status: 200, body: '' })).toEqual({ kind: 'taken' });
});
