import { exportJWK, generateKeyPair } from 'jose';
import { badBodies } from './bad-bodies.ts';
import type { BadRequest } from './bad-request.ts';
import { assertionFields, FORM, form, type RunningSystem } from './running-system.ts';

const EHR = '/ehr/oauth';

/** Sign-in at the sandbox EHR: authorize, token, and the pages between. */
export async function ehrOauthRows({ base, keys, authorize, send }: RunningSystem): Promise<BadRequest[]> {
  const tokenUrl = `${base}${EHR}/token`;
  const good = { response_type: 'code', client_id: 'open-prior-auth-panel', redirect_uri: `${base}/panel/callback`, scope: 'openid launch', state: 's'.repeat(20), aud: `${base}/ehr/fhir`, launch: 'x', code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' };
  const ask = (what: string, changes: Readonly<Record<string, string>>, status: BadRequest['status'], more: Partial<BadRequest> = {}): BadRequest => ({ what, method: 'GET', path: `${EHR}/authorize?${form({ ...good, ...changes })}`, status, shape: 'oauth', headers: { accept: 'application/json' }, ...more });
  const token = async (what: string, fields: Readonly<Record<string, string>>, status: BadRequest['status'], assertion: Parameters<typeof assertionFields>[3] | null = {}, key = keys.server): Promise<BadRequest> => ({
    what, method: 'POST', path: `${EHR}/token`, type: FORM, status, shape: 'oauth',
    body: form({ ...(assertion === null ? {} : await assertionFields(key, 'open-prior-auth-panel', tokenUrl, assertion)), ...fields }),
  });
  const redeem = (code: string, code_verifier: string) => ({ grant_type: 'authorization_code', code, code_verifier, redirect_uri: `${base}/panel/callback` });
  const stranger = await exportJWK((await generateKeyPair('ES384', { extractable: true })).privateKey);
  const past = Math.floor(Date.now() / 1000) - 120;

  const launched = await send({ method: 'GET', path: `${EHR}/authorize?${form({ ...good, launch: '\u0000' })}` });
  const interaction = { path: String(launched.headers['location']), cookie: [launched.headers['set-cookie'] ?? []].flat().map((line) => line.split(';')[0]).join('; ') };
  const [spent, other, third] = [await authorize(), await authorize(), await authorize()];
  const used = await assertionFields(keys.server, 'open-prior-auth-panel', tokenUrl);
  const first = await send({ method: 'POST', path: `${EHR}/token`, type: FORM, body: form({ ...used, ...redeem(spent.code, spent.verifier) }) });
  if (first.status !== 200) throw new Error(`a good code was refused: ${first.status} ${first.text.slice(0, 200)}`);

  return [
    ask('unknown client', { client_id: 'nobody' }, [400, 401]),
    ask('no client', { client_id: '' }, [400, 401]),
    ask('client with a null byte', { client_id: 'a\u0000' }, [400, 401]),
    ask('client of 6 kB', { client_id: 'a'.repeat(6_000) }, [400, 401]),
    ask('redirect elsewhere', { redirect_uri: 'https://evil.example/' }, 400),
    ask('redirect that is no URL', { redirect_uri: 'javascript:alert(1)' }, 400),
    ask('unknown client, asked by a browser', { client_id: '<script>' }, [400, 401], { shape: 'page', headers: { accept: 'text/html' } }),
    // Once client and redirect are believed, RFC 6749 §4.1.2.1 sends the error to the client.
    ask('aud of another server', { aud: 'https://evil.example/fhir' }, [303, 400]),
    ask('no PKCE', { code_challenge: '' }, [302, 303, 400]),
    ask('plain PKCE', { code_challenge_method: 'plain' }, [302, 303, 400]),
    ask('implicit flow', { response_type: 'token' }, [302, 303, 400]),
    ask('launch with a null byte', { launch: '\u0000' }, [302, 303, 400]),
    ask('state with a null byte', { state: '\u0000' }, [302, 303, 400]),
    { what: 'an interaction whose launch has a null byte', method: 'GET', path: interaction.path, headers: { cookie: interaction.cookie }, status: 303, shape: 'any' },
    { what: 'a parameter twice', method: 'GET', path: `${EHR}/authorize?client_id=a&client_id=b`, status: 400, shape: 'oauth', headers: { accept: 'application/json' } },
    { what: 'a broken escape', method: 'GET', path: `${EHR}/authorize?client_id=%zz`, status: 400, shape: 'oauth', headers: { accept: 'application/json' } },
    { what: 'a wrong method', method: 'DELETE', path: `${EHR}/authorize`, status: [404, 405], shape: 'oauth' },
    { what: 'a wrong method', method: 'POST', path: `${EHR}/jwks`, body: {}, status: [404, 405], shape: 'oauth' },
    { what: 'an unknown path', method: 'GET', path: `${EHR}/nothing`, status: 404, shape: 'oauth' },
    { what: 'a broken escape in the path', method: 'GET', path: `${EHR}/%zz`, status: [400, 404], shape: 'oauth' },
    { what: 'an unknown interaction', method: 'GET', path: `${EHR}/interaction/nothing`, status: 400, shape: 'page' },
    { what: 'an interaction with a null byte', method: 'GET', path: `${EHR}/interaction/%00`, status: 400, shape: 'page' },
    { what: 'an interaction with a broken escape', method: 'GET', path: `${EHR}/interaction/%zz`, status: [400, 404], shape: 'page' },
    { what: 'sign-in as nobody', method: 'POST', path: '/ehr/login', type: FORM, body: 'user=Practitioner/nobody', status: 400, shape: 'page' },
    { what: 'sign-in with a null byte', method: 'POST', path: '/ehr/login', type: FORM, body: 'user=Practitioner/%00', status: 400, shape: 'page' },
    { what: 'sign-in that leads elsewhere', method: 'POST', path: '/ehr/login', type: FORM, body: 'user=x&interaction=//evil.example', status: 400, shape: 'page' },
    { what: 'sign-in with JSON', method: 'POST', path: '/ehr/login', body: { user: 'x' }, status: [400, 415], shape: 'page' },
    { what: 'sign-in with 1 MB', method: 'POST', path: '/ehr/login', type: FORM, body: `user=${'x'.repeat(1_000_000)}`, status: 413, shape: 'page' },
    { what: 'token request by GET', method: 'GET', path: `${EHR}/token`, status: [404, 405], shape: 'oauth' },
    ...badForms(`${EHR}/token`),
    await token('no client authentication', { grant_type: 'authorization_code', code: 'x' }, [400, 401], null),
    await token('unknown grant type', { grant_type: 'password', username: 'a', password: 'b' }, 400),
    await token('unknown code', redeem('nothing', 'a'.repeat(43)), 400),
    await token('code with a null byte', redeem('\u0000', 'a'.repeat(43)), 400),
    await token('a code that was used before', redeem(spent.code, spent.verifier), 400),
    await token('a wrong verifier', redeem(other.code, 'a'.repeat(43)), 400),
    await token('a code sent from elsewhere', { ...redeem(third.code, third.verifier), redirect_uri: `${base}/work/callback` }, 400),
    await token('unknown refresh token', { grant_type: 'refresh_token', refresh_token: 'nothing' }, 400),
    await token('refresh token with a null byte', { grant_type: 'refresh_token', refresh_token: '\u0000' }, 400),
    await token('an expired assertion', redeem('x', 'x'), 401, { exp: past }),
    await token('an assertion for another audience', redeem('x', 'x'), 401, { aud: 'https://evil.example/token' }),
    await token('an assertion of another issuer', redeem('x', 'x'), 401, { iss: 'nobody' }),
    await token('an assertion with another key', redeem('x', 'x'), 401, {}, { ...stranger, kid: keys.server.kid ?? '' }),
    await token('an assertion with an unknown kid', redeem('x', 'x'), 401, { header: { kid: 'nothing' } }),
    { ...(await token('an assertion used before', redeem('x', 'x'), 401)), body: form({ ...used, ...redeem('x', 'x') }) },
    { ...(await token('an assertion that is no JWT', redeem('x', 'x'), [400, 401])), body: form({ ...used, client_assertion: 'x.y', ...redeem('x', 'x') }) },
  ];
}

/** The payer's token endpoint. */
export async function payerTokenRows({ base, keys, send }: RunningSystem): Promise<BadRequest[]> {
  const path = '/payer/oauth/token';
  const tokenUrl = base + path;
  const stranger = await exportJWK((await generateKeyPair('ES384', { extractable: true })).privateKey);
  const token = async (what: string, status: BadRequest['status'], changes: Parameters<typeof assertionFields>[3] = {}, fields: Readonly<Record<string, string>> = {}, key = keys.server): Promise<BadRequest> => ({
    what, method: 'POST', path, type: FORM, status, shape: 'oauth',
    body: form({ grant_type: 'client_credentials', scope: 'system/Claim.c', ...(await assertionFields(key, 'open-prior-auth-server', tokenUrl, changes)), ...fields }),
  });
  const used = await token('an assertion used before', 401);
  await send(used);
  const now = Math.floor(Date.now() / 1000);
  return [
    ...badForms(path),
    { what: 'no client assertion', method: 'POST', path, type: FORM, body: 'grant_type=client_credentials', status: 401, shape: 'oauth' },
    { what: 'a parameter twice', method: 'POST', path, type: FORM, body: 'grant_type=client_credentials&grant_type=x', status: 400, shape: 'oauth' },
    { what: 'by GET', method: 'GET', path, status: [404, 405], shape: 'oauth' },
    { what: 'an unknown path', method: 'GET', path: '/payer/oauth/nothing', status: 404, shape: 'oauth' },
    { what: 'a broken escape', method: 'GET', path: '/payer/oauth/%zz', status: [400, 404], shape: 'oauth' },
    used,
    await token('another grant type', 400, {}, { grant_type: 'authorization_code' }),
    await token('an unknown scope', 400, {}, { scope: 'patient/*.rs nothing' }),
    await token('an assertion type that is none', 401, {}, { client_assertion_type: 'x' }),
    await token('an assertion that is no JWT', 401, {}, { client_assertion: 'x.y.z' }),
    await token('an expired assertion', 401, { exp: now - 120 }),
    await token('an assertion that lives a day', 401, { exp: now + 86_400 }),
    await token('an assertion of another issuer', 401, { iss: 'nobody', sub: 'open-prior-auth-server' }),
    await token('an assertion about another client', 401, { sub: 'nobody' }),
    await token('an assertion for another audience', 401, { aud: 'https://evil.example/token' }),
    await token('an assertion that names its own key set', 401, { header: { jku: 'https://evil.example/jwks.json' } }),
    await token('an assertion with an unknown kid', 401, { header: { kid: 'nothing' } }),
    await token('an assertion with another key', 401, {}, {}, { ...stranger, kid: keys.server.kid ?? '' }),
    await token('an assertion with a null byte in its jti', [200, 401], { more: { jti: 'x' }, iss: 'open-prior-auth-server\u0000' }),
  ];
}

/** What every token endpoint must refuse. */
function badForms(path: string): BadRequest[] {
  const usual = badBodies({ method: 'POST', path, shape: 'oauth', reads: FORM, wrong: [400, 401, 415], noType: 415 });
  const asForm = ['no body', '30 MB', 'gzip that is none', 'a gzip bomb', 'an encoding nobody knows', 'broken UTF-8'];
  // RFC 6749 §5.2 has no status but 400 for a request that cannot be read.
  return usual.filter(({ what }) => asForm.includes(what)).map((row) => ({ ...row, status: [400, 401, 413, 415] })).concat([
    { what: 'JSON', method: 'POST', path, body: { grant_type: 'client_credentials' }, status: [400, 415], shape: 'oauth' },
    { what: 'a broken escape', method: 'POST', path, type: FORM, body: 'grant_type=%zz&client_id=%', status: [400, 401], shape: 'oauth' },
    { what: 'keys of the prototype', method: 'POST', path, type: FORM, body: '__proto__[polluted]=1&constructor[prototype][polluted]=1&grant_type[]=x', status: [400, 401], shape: 'oauth' },
    { what: '5,000 fields', method: 'POST', path, type: FORM, body: 'a=b&'.repeat(5_000), status: [400, 401, 413], shape: 'oauth' },
  ]);
}
