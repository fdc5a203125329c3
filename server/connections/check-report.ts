/** One thing that was looked at. `what` says what was found, `todo` what to do about it; neither holds patient data or a secret. */
export interface CheckStep {
  readonly name: string;
  /** `unknown`: cannot be checked from here. `skipped`: something before it failed, or it does not apply. */
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped' | 'unknown';
  readonly what: string;
  readonly todo?: string;
}

export interface ConnectionReport {
  readonly payerId: string;
  readonly payerName: string;
  readonly pasVersion: string;
  readonly mode: 'electronic' | 'manual';
  /** Where requests go, and why there. */
  readonly fhirBase: string;
  readonly endpoint: string;
  readonly testedAt: string;
  /** Failed as soon as one step is. */
  readonly result: 'ok' | 'failed';
  readonly steps: readonly CheckStep[];
}

/** What an operator does about a code of Node or OpenSSL. */
export function adviceFor(code: string, host: string): string {
  if (/^(ENOTFOUND|EAI_AGAIN)$/.test(code)) return `Correct the address: this machine finds no host named ${host}. Or ask for name resolution here.`;
  if (/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|timeout)$/.test(code)) return `Check address and port, the firewall here, and whether the payer must first allow this machine’s address.`;
  if (/EXPIRED/.test(code)) return 'The payer must renew its certificate; send nothing until it has.';
  if (/ALTNAME/.test(code)) return 'The certificate is another host’s. Correct the address, or ask the payer.';
  if (/SELF_SIGNED|UNABLE_TO|ISSUER|VERIFY/.test(code)) return 'Its issuer is not trusted here. If the payer has a certification authority of its own, name its file in tls.caFile.';
  if (code === 'tls-file') return 'Put the file there, readable by this process, or correct the path.';
  if (/^(ECONNRESET|EPROTO)|SSL|TLS|ALERT/.test(code)) return 'The payer ended the TLS connection. It may want a client certificate (tls.certificateFile, tls.keyFile), or another one.';
  return 'Ask the payer’s technical contact, with the time of this test.';
}
