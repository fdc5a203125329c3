import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where openssl is not installed, tests of mutual TLS are left out and say so. */
export const hasOpenssl = ['/usr/bin/openssl', '/usr/local/bin/openssl', '/opt/homebrew/bin/openssl'].some((file) => existsSync(file));

export interface OwnCertificates {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
}

/** A certification authority, a server certificate for localhost and a client certificate, as PEM files in the folder. */
export function makeCertificates(folder: string, { serverDays = 90 }: { readonly serverDays?: number } = {}): OwnCertificates {
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: readonly string[]): void => void execFileSync('openssl', [...args], { stdio: 'pipe' });
  const key = (name: string): void => openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at(`${name}.key`));
  const ends = (days: number): readonly string[] => ['-days', String(days)];
  key('ca');
  openssl('req', '-x509', '-new', '-key', at('ca.key'), '-subj', '/CN=Test authority', ...ends(365), '-out', at('ca.pem'));
  for (const [name, days, extension] of [['server', serverDays, 'subjectAltName=DNS:localhost,IP:127.0.0.1'], ['client', 365, 'extendedKeyUsage=clientAuth']] as const) {
    key(name);
    writeFileSync(at(`${name}.ext`), extension);
    openssl('req', '-new', '-key', at(`${name}.key`), '-subj', `/CN=${name === 'server' ? 'localhost' : 'Open Prior Auth test client'}`, '-out', at(`${name}.csr`));
    openssl('x509', '-req', '-in', at(`${name}.csr`), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', ...ends(days), '-extfile', at(`${name}.ext`), '-out', at(`${name}.pem`));
  }
  const pair = (name: string) => ({ cert: at(`${name}.pem`), key: at(`${name}.key`) });
  return { ca: at('ca.pem'), server: pair('server'), client: pair('client') };
}
