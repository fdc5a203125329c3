/** An answer that is not what the walkthrough needs to go on. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
}

/** HTTP as a browser does it: keeps cookies, follows redirects one by one. */
export class BrowserLikeClient {
  readonly base: string;
  readonly #cookies = new Map<string, { value: string; path: string }>();

  constructor(base: string) {
    this.base = base;
  }

  async json<T>(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    const response = await this.#send(method, new URL(path, this.base), body === undefined ? undefined : JSON.stringify(body), { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers });
    const text = await response.text();
    if (!response.ok) throw new UnexpectedAnswer(`${method} ${path.replace(/\?.*/, '')} answered ${response.status}: ${text.slice(0, 400)}`);
    return (text === '' ? {} : JSON.parse(text)) as T;
  }

  /** Opens an address and goes where it leads; gives the address it ends at. */
  async navigate(address: string): Promise<URL> {
    let url = new URL(address, this.base);
    for (let hops = 0; hops < 15; hops += 1) {
      const response = await this.#send('GET', url, undefined, { accept: 'text/html' });
      await response.arrayBuffer();
      const next = response.headers.get('location');
      if (response.status < 300 || response.status >= 400 || !next) {
        if (!response.ok) throw new UnexpectedAnswer(`GET ${url.pathname} answered ${response.status}`);
        return url;
      }
      url = new URL(next, url);
    }
    throw new UnexpectedAnswer(`GET ${url.pathname} redirects without end`);
  }

  async #send(method: string, url: URL, body: string | undefined, headers: Readonly<Record<string, string>>): Promise<Response> {
    const cookie = [...this.#cookies].filter(([, { path }]) => url.pathname.startsWith(path)).map(([name, { value }]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { method, redirect: 'manual', headers: { ...headers, ...(cookie ? { cookie } : {}) }, ...(body === undefined ? {} : { body }), signal: AbortSignal.timeout(60_000) });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const value = pair.slice(pair.indexOf('=') + 1);
    const attribute = (wanted: string) => attributes.find((each) => each.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
    const gone = attribute('max-age') === '0' || Date.parse(attribute('expires') ?? '') < Date.now();
    if (gone) this.#cookies.delete(name);
    else this.#cookies.set(name, { value, path: attribute('path') ?? '/' });
  }
}
