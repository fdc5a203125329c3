import type { BadRequest } from './bad-request.ts';

/** Addresses and methods that no part serves. */
export function commonRows(): BadRequest[] {
  const at = (what: string, path: string, status: BadRequest['status'] = 404, more: Partial<BadRequest> = {}): BadRequest => ({ what, method: 'GET', path, status, shape: 'error-reply', ...more });
  return [
    at('unknown path', '/nothing-here'),
    at('unknown path below a screen', '/panel/nothing-here'),
    at('unknown path below a screen', '/work/nothing-here'),
    at('unknown path below the EHR', '/ehr/nothing-here'),
    at('unknown well-known', '/.well-known/nothing-here'),
    at('file of the repository', '/package.json'),
    at('dot file', '/.env'),
    at('path traversal', '/../../etc/passwd'),
    at('path traversal in assets', '/assets/../../package.json'),
    at('escaped path traversal in assets', '/assets/..%2f..%2fpackage.json', [400, 403, 404]),
    at('doubly escaped path traversal', '/assets/%252e%252e%252fpackage.json'),
    at('backslashes', '/assets/..\\..\\package.json', [400, 403, 404]),
    at('null byte in assets', '/assets/a%00.js', [400, 404]),
    at('broken escape in assets', '/assets/%E0%A4%A', [400, 404]),
    at('broken escape', '/%', [400, 404]),
    at('broken escape at the panel', '/panel/%zz', [400, 404]),
    at('absent asset', '/assets/gone.js'),
    at('folder of assets', '/assets/'),
    at('very long path', `/${'a'.repeat(12_000)}`),
    at('key of the prototype', '/__proto__/constructor'),
    ...['/healthz', '/readyz', '/metrics', '/', '/panel/', '/work/', '/.well-known/jwks.json', '/ehr/.well-known/jwks.json', '/panel/supported-payers'].flatMap((path) =>
      ['POST', 'PUT', 'DELETE', 'PATCH'].map((method) => at('wrong method', path, [404, 405], { method, body: '{}', type: 'application/json' })),
    ),
    at('a method nobody knows', '/', [400, 404, 405], { method: 'PROPFIND' }),
    at('30 MB to a path that takes nothing', '/nothing-here', [404, 413], { method: 'POST', body: Buffer.alloc(30 * 1024 * 1024, 0x20), type: 'application/json' }),
    at('30 MB to /healthz', '/healthz', [404, 405, 413], { method: 'POST', body: Buffer.alloc(30 * 1024 * 1024, 0x20) }),
    at('headers of 20 kB', '/', 431, { headers: { 'x-long': 'a'.repeat(20_000) }, shape: 'any' }),
    at('host of another site', '/nothing-here', 404, { headers: { host: 'evil.example' } }),
    at('forwarded headers', '/nothing-here', 404, { headers: { 'x-forwarded-for': "1.2.3.4, '; drop table", 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher' } }),
    at('method override', '/nothing-here', 404, { method: 'POST', headers: { 'x-http-method-override': 'DELETE' } }),
  ];
}
