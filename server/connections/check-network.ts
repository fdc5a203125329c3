import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import type { PayerTls } from '#prior-auth/coverage-requirement/payer-connection.ts';
import { adviceFor, type CheckStep } from './check-report.ts';
import { codeOf, readTlsFiles, Unavailable } from './transport.ts';

const DAY_MS = 86_400_000;
const WARN_DAYS = 30;

/** Name, connection, certificates. */
export async function checkNetwork(address: string, tls: PayerTls | undefined, nowMs: number, timeoutMs: number): Promise<readonly CheckStep[]> {
  const { hostname, port, protocol } = new URL(address);
  const host = hostname.replace(/^\[|\]$/g, '');
  const steps: CheckStep[] = tls?.certificateFile === undefined ? [] : [checkOwnCertificate(tls, nowMs)];
  try {
    const found = await lookup(host, { all: true });
    steps.push({ name: 'Name', state: 'ok', what: `${host} is ${found.map((each) => each.address).join(', ')}.` });
  } catch (error) {
    return [...steps, { name: 'Name', state: 'failed', what: `${host} has no address (${codeOf(error)}).`, todo: adviceFor(codeOf(error), host) }];
  }
  const target = { host, port: Number(port || (protocol === 'https:' ? 443 : 80)) };
  try {
    if (protocol === 'http:') {
      await opened(connectTcp(target), 'connect', timeoutMs);
      return [...steps, { name: 'Connection', state: 'warning', what: `${host}:${target.port} answers, without TLS.`, todo: 'Right on this machine only. A payer elsewhere needs https.' }];
    }
    const socket = connectTls({ ...target, ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }), ...(tls ? readTlsFiles(tls) : {}), rejectUnauthorized: false, minVersion: 'TLSv1.2' });
    return [...steps, checkPeer(await opened(socket, 'secureConnect', timeoutMs, (done) => ({ authorized: done.authorized, fault: faultOf(done), certificate: done.getPeerCertificate(true), protocol: done.getProtocol() })), host, nowMs)];
  } catch (error) {
    const code = codeOf(error);
    return [...steps, { name: protocol === 'https:' ? 'TLS' : 'Connection', state: 'failed', what: error instanceof Unavailable ? `${error.message}.` : `No connection to ${host}:${target.port} (${code}).`, todo: adviceFor(code, host) }];
  }
}

function checkPeer({ authorized, fault, certificate, protocol }: { readonly authorized: boolean; readonly fault: string; readonly certificate: DetailedPeerCertificate; readonly protocol: string | null }, host: string, nowMs: number): CheckStep {
  const left = daysLeft(certificate.valid_to, nowMs);
  const about = `${protocol ?? 'TLS'}, certificate valid until ${dayOf(certificate.valid_to)}`;
  if (!authorized) return { name: 'TLS', state: 'failed', what: `${about}, not trusted (${fault}).`, todo: adviceFor(left < 0 ? 'CERT_HAS_EXPIRED' : fault, host) };
  if (left < WARN_DAYS) return { name: 'TLS', state: 'warning', what: `${about}: ${left} days.`, todo: 'Ask the payer when it will be renewed.' };
  return { name: 'TLS', state: 'ok', what: `${about}: ${left} days.` };
}

function checkOwnCertificate(tls: PayerTls, nowMs: number): CheckStep {
  const name = 'Client certificate';
  try {
    const { cert, key } = readTlsFiles(tls);
    const certificate = new X509Certificate(cert ?? '');
    const left = daysLeft(certificate.validTo, nowMs);
    const what = `Of ${certificate.subject.replaceAll('\n', ', ')}, valid until ${dayOf(certificate.validTo)}: ${left} days.`;
    if (!key?.includes('PRIVATE KEY')) return { name, state: 'failed', what: `${tls.keyFile} holds no private key in PEM.`, todo: 'Name the file of the key that belongs to the certificate.' };
    if (left < 0) return { name, state: 'failed', what, todo: 'Get a new one and put it in the same file: it is taken up within a minute.' };
    return left < WARN_DAYS ? { name, state: 'warning', what, todo: 'Get a new one and put it in the same file: it is taken up within a minute.' } : { name, state: 'ok', what };
  } catch (error) {
    return { name, state: 'failed', what: error instanceof Unavailable ? `${error.message}.` : `${tls.certificateFile} is no certificate in PEM (${codeOf(error)}).`, todo: adviceFor('tls-file', '') };
  }
}

function opened<S extends ReturnType<typeof connectTcp>, T>(socket: S, event: string, timeoutMs: number, read?: (socket: S) => T): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    socket.setTimeout(timeoutMs, () => socket.destroy(Object.assign(new Error('no answer in time'), { code: 'timeout' })));
    socket.once('error', reject);
    socket.once(event, () => {
      resolve(read?.(socket) as T);
      socket.destroy();
    });
  });
}

/** Node says a code, or an Error with one. */
function faultOf(socket: TLSSocket): string {
  const fault: unknown = socket.authorizationError;
  return typeof fault === 'string' ? fault : codeOf(fault);
}

function daysLeft(validTo: string, nowMs: number): number {
  return Math.floor((Date.parse(validTo) - nowMs) / DAY_MS);
}

function dayOf(validTo: string): string {
  const at = Date.parse(validTo);
  return Number.isNaN(at) ? 'an unknown day' : new Date(at).toISOString().slice(0, 10);
}
