import { type BadRequest, PRIVATE_WORDS } from './bad-request.ts';
import { ADMIN_TOKEN, FORM, form, type RunningSystem } from './running-system.ts';

/** The operator's page of payers: pages for a person, JSON for the commands. */
export async function adminRows({ send }: RunningSystem): Promise<BadRequest[]> {
  const page = '/admin/payers';
  const signedIn = await send({ method: 'POST', path: `${page}/sign-in`, type: FORM, body: form({ token: ADMIN_TOKEN }) });
  const cookie = String(signedIn.headers['set-cookie']).split(';')[0] ?? '';
  const csrf = /name="csrf" value="([^"]+)"/.exec((await send({ method: 'GET', path: page, headers: { cookie } })).text)?.[1] ?? '';
  const post = (what: string, path: string, fields: Readonly<Record<string, string>>, status: BadRequest['status'], headers: Readonly<Record<string, string>> = { cookie }): BadRequest => ({ what, method: 'POST', path: page + path, type: FORM, body: form(fields), headers, status, shape: 'page' });
  const bearer = (what: string, method: string, path: string, token: string, status: BadRequest['status']): BadRequest => ({ what, method, path: page + path, headers: { authorization: `Bearer ${token}` }, status, shape: 'error-reply' });
  return [
    post('a wrong token', '/sign-in', { token: PRIVATE_WORDS }, 401, {}),
    { ...post('a token that came twice', '/sign-in', {}, 401, {}), body: 'token=a&token=b' },
    { ...post('a sign-in as JSON', '/sign-in', {}, 401, {}), type: 'application/json', body: '{"token":' },
    ...['', '/sign-out', '/keys/rotate', '/cascade-medicare/test', '/cascade-medicare/mode/manual', '/cascade-medicare/disable', '/cascade-medicare/enable'].flatMap((path) => [
      post('not signed in', path, { csrf }, 401, {}),
      post('a forged cookie', path, { csrf }, 401, { cookie: 'payer_admin=9999999999999.AAAA.BBBB' }),
      post('no word of the form', path, {}, 403),
      post('a wrong word of the form', path, { csrf: 'x' }, 403),
    ]),
    ...['/nobody/test', '/__proto__/test', '/nobody/mode/manual', '/nobody/disable', '/cascade-medicare/disable', `/${'x'.repeat(500)}/enable`].map((path) => post('no such payer here', path, { csrf }, 404)),
    { ...post('a mode that is none', '/cascade-medicare/mode/sometimes', { csrf }, 404), shape: 'error-reply' },
    post('an empty form', '', { csrf }, 422),
    post('all of it wrong', '', { csrf, id: 'No Id At All', fhirBase: 'javascript:alert(1)', organizationIdentifiers: '|', timeZone: '\u0000', further: '{"__proto__":{"polluted":1}}' }, 422),
    post('settings nested too deep', '', { csrf, id: 'x', further: '['.repeat(5_000) }, 422),
    post('a form too large', '', { csrf, name: 'x'.repeat(100_000) }, 413),
    { ...post('a charset nobody reads', '', { csrf }, 415), type: `${FORM}; charset=utf-77` },
    { ...post('a broken escape', '', {}, [401, 403]), body: `csrf=${csrf}%zz` },
    { what: 'a change that is no payer’s', method: 'GET', path: `${page}?change=__proto__&done[]=x&done=constructor`, headers: { cookie }, status: 200, shape: 'page' },
    bearer('a wrong token', 'GET', '', 'wrong', 401),
    bearer('a wrong token', 'POST', '/cascade-medicare/test', 'wrong', 401),
    bearer('a wrong token', 'POST', '/keys/rotate', 'wrong', 401),
    bearer('no such payer', 'POST', '/nobody/test', ADMIN_TOKEN, 404),
  ];
}
