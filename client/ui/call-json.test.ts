import { describe, expect, it } from 'vitest';
import { failureWords } from '../messages.ts';
import { readFailure } from './call-json.ts';

describe('failures', () => {
  it('keeps the server’s own words', () => {
    const failure = readFailure(422, { error: { code: 'PAS_BUNDLE_INCOMPLETE', message: 'No NPI.', nextStep: 'Add it.' } });
    expect(failure).toEqual({ status: 422, code: 'PAS_BUNDLE_INCOMPLETE', message: 'No NPI.', nextStep: 'Add it.' });
    expect(failureWords(failure)).toEqual({ message: 'No NPI.', nextStep: 'Add it.' });
  });

  it.each([undefined, null, 'text', { error: 'text' }, { error: { code: 5, message: [] } }])('finds words for a body that is no error reply: %j', (body) => {
    const failure = readFailure(503, body);
    expect(failure.code).toBe('HTTP_503');
    expect(failureWords(failure).message).not.toBe('');
    expect(failureWords(failure).nextStep).not.toBe('');
  });

  it.each([0, 400, 401, 403, 404, 409, 413, 429, 500])('says what to do next for status %d', (status) => {
    expect(failureWords({ status, code: 'X', message: '' }).nextStep).not.toBe('');
  });
});
