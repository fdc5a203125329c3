import { expect, it } from 'vitest';

import { CODE_SYSTEMS } from '../base/code-systems.ts';
import { PAS_EXTENSIONS } from './canonical-urls.ts';
import { readReviewAction, writeReviewAction } from './review-action.ts';

it('reads back what it writes', () => {
  const reason = { coding: [{ system: CODE_SYSTEMS.x12ReviewReason, code: '45' }] };
  const written = writeReviewAction({ code: 'A3', number: 'AUTH1', reasonCodes: [reason] });
  expect(readReviewAction({ extension: [written] })).toEqual({ code: 'A3', number: 'AUTH1', reasonCodes: [{ system: CODE_SYSTEMS.x12ReviewReason, code: '45' }] });
});

it('an adjudication without it has no review action, and one without a code has no code', () => {
  expect(readReviewAction({})).toBeUndefined();
  expect(readReviewAction({ extension: [{ url: PAS_EXTENSIONS.reviewAction, extension: [{ url: 'number', valueString: 'N' }] }] })).toEqual({ number: 'N', reasonCodes: [] });
});

it('takes the X12 coding among several, and the short url that some payers write', () => {
  const codeWith = (url: string) => ({
    extension: [{ url: PAS_EXTENSIONS.reviewAction, extension: [{ url, valueCodeableConcept: { coding: [{ system: 'http://own', code: 'OK' }, { system: CODE_SYSTEMS.x12ReviewAction, code: ' A1 ' }] } }] }],
  });
  expect(readReviewAction(codeWith(PAS_EXTENSIONS.reviewActionCode))?.code).toBe('A1');
  expect(readReviewAction(codeWith('reviewActionCode'))?.code).toBe('A1');
});
