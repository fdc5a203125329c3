import { z } from 'zod';
import type { SigningKey } from '#store/signing-keys.ts';
import { hookToken } from './hook-token.ts';

export interface CdsServiceOptions {
  readonly cdsBaseUrl: string;
  /** `${baseUrl}/ehr`: who we are to the service. */
  readonly ehrUrl: string;
  readonly key: SigningKey;
  readonly now: () => number;
}

/** A call that came back. `body` is whatever the service said, parsed when it was JSON. */
export interface CdsReply {
  readonly status: number;
  readonly body: unknown;
}

const DISCOVERY_TIMEOUT_MS = 5_000;
const CALL_TIMEOUT_MS = 10_000;
const DISCOVERY_LIFETIME_MS = 5 * 60_000;

const discovery = z.object({ services: z.array(z.looseObject({ id: z.string(), hook: z.string(), prefetch: z.record(z.string(), z.string()).optional() })) });
export type DiscoveredService = z.infer<typeof discovery>['services'][number];

export class CdsClient {
  readonly #options: CdsServiceOptions;
  #services: { readonly readMs: number; readonly list: readonly DiscoveredService[] } | undefined;

  constructor(options: CdsServiceOptions) {
    this.#options = options;
  }

  /** Read once in five minutes; `forget` after a failed call makes the next one read it afresh. */
  async discover(serviceId: string): Promise<DiscoveredService | undefined> {
    const { cdsBaseUrl, now } = this.#options;
    if (!this.#services || now() - this.#services.readMs > DISCOVERY_LIFETIME_MS) {
      const { status, body } = await this.#request('GET', `${cdsBaseUrl}/cds-services`, undefined, DISCOVERY_TIMEOUT_MS);
      if (status !== 200) throw new Error(`The CDS service's discovery answered ${status}.`);
      this.#services = { readMs: now(), list: discovery.parse(body).services };
    }
    return this.#services.list.find((service) => service.id === serviceId);
  }

  forget(): void {
    this.#services = undefined;
  }

  call(serviceId: string, request: object): Promise<CdsReply> {
    return this.#request('POST', `${this.#options.cdsBaseUrl}/cds-services/${serviceId}`, request, CALL_TIMEOUT_MS);
  }

  feedback(serviceId: string, feedback: object): Promise<CdsReply> {
    return this.#request('POST', `${this.#options.cdsBaseUrl}/cds-services/${serviceId}/feedback`, { feedback: [feedback] }, DISCOVERY_TIMEOUT_MS);
  }

  async #request(method: 'GET' | 'POST', url: string, body: object | undefined, timeoutMs: number): Promise<CdsReply> {
    const { key, ehrUrl, now } = this.#options;
    const token = await hookToken(key, ehrUrl, url, now());
    const response = await fetch(url, {
      method,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      headers: { authorization: `Bearer ${token}`, accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json') && text !== '';
    return { status: response.status, body: json ? JSON.parse(text) : text };
  }
}
