import { describe, expect, it } from 'vitest';
import { cookieOptions } from './cookies.ts';
import { hashOf, newSecret, seal, unseal } from './seal.ts';
import { readTokenResponse } from './token-response.ts';

describe('cookies', () => {
  it('may live in a frame of another site over https only', () => {
    expect(cookieOptions('https://pa.example', '/panel', 1)).toMatchObject({ httpOnly: true, secure: true, sameSite: 'none', partitioned: true, path: '/panel' });
    expect(cookieOptions('https://pa.example', '/work', 1)).toEqual({ httpOnly: true, secure: true, sameSite: 'lax', path: '/work', maxAge: 1 });
    expect(cookieOptions('http://localhost:3000', '/panel', 1)).toEqual({ httpOnly: true, sameSite: 'lax', path: '/panel', maxAge: 1 });
  });
});

describe('sealing', () => {
  const [secret, other] = [newSecret(), newSecret()];
  const sealed = seal(secret, 'a', { token: 't' });

  it('opens with the secret and for the context it was made with, and with nothing else', () => {
    expect(unseal(secret, 'a', sealed)).toEqual({ token: 't' });
    expect(unseal(other, 'a', sealed)).toBeUndefined();
    expect(unseal(hashOf(secret), 'a', sealed)).toBeUndefined();
    expect(unseal(secret, 'b', sealed)).toBeUndefined();
    const changed = Buffer.from(sealed, 'base64');
    changed.writeUInt8(changed.readUInt8(40) ^ 1, 40);
    expect(unseal(secret, 'a', changed.toString('base64'))).toBeUndefined();
  });
});

describe('the token answer', () => {
  const now = () => 1_000_000;
  it.each<[string, object, object]>([
    ['strings, as SMART 2.0.0', { fhirContext: ['ServiceRequest/1'] }, { references: ['ServiceRequest/1'] }],
    ['objects, as SMART 2.1', { fhirContext: [{ reference: 'ServiceRequest/1' }, { reference: 'Coverage/2', role: 'launch' }] }, { references: ['ServiceRequest/1', 'Coverage/2'] }],
    ['entries of another role', { fhirContext: [{ reference: 'ServiceRequest/1', role: 'https://other.example/role' }, { canonical: 'x' }] }, { references: [] }],
    ['an absolute reference', { fhirContext: [{ reference: 'https://ehr.example/fhir/ServiceRequest/1' }] }, { references: ['ServiceRequest/1'] }],
    ['a patient written as a reference', { patient: 'Patient/7' }, { patient: '7' }],
    ['no word about the banner', {}, { needPatientBanner: true }],
    ['no banner', { need_patient_banner: false }, { needPatientBanner: false }],
  ])('reads %s', (_what, answer, context) => {
    expect(readTokenResponse({ access_token: 'a', token_type: 'bearer', ...answer }, now).context).toMatchObject(context);
  });

  it('takes five minutes when the EHR does not say how long', () => {
    expect(readTokenResponse({ access_token: 'a', token_type: 'Bearer' }, now).tokens.expiresAt).toBe(1_300_000);
  });

  it.each([undefined, {}, { access_token: '' }, { access_token: 'a' }, { access_token: 'a', token_type: 'mac' }, { access_token: 'a', token_type: 'bearer', expires_in: 'soon' }, { access_token: 'a', token_type: 'bearer', fhirContext: {} }])('refuses %j', (answer) => {
    expect(() => readTokenResponse(answer, now)).toThrow(expect.objectContaining({ code: 'EHR_REFUSED' }));
  });
});
