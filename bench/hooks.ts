import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { startChild } from './child-server.ts';
import { type Figures, HEADER, measure, row } from './figures.ts';
import { fullPrefetchCall } from './full-prefetch-call.ts';

const ENOUGH = { p50: 5, p99: 10 };

/** order-sign with full prefetch, scoring and reasons included, against a bare express echo of the same body in the same run. Returns what missed its aim. */
export async function benchHooks(): Promise<string[]> {
  const [echo, system] = await Promise.all([startChild('echo-server.ts'), startChild('system-server.ts')]);
  const missed: string[] = [];
  try {
    const body = JSON.stringify(await fullPrefetchCall(system.base));
    console.log(`\nHooks: order-sign with full prefetch, ${(body.length / 1024).toFixed(1)} kB a call\n${HEADER}`);
    const call = () => post(`${system.base}/cds-services/order-sign-crd`, body.replace('HOOK-INSTANCE', randomUUID()));
    const answer = await call();
    const { systemActions, cards } = JSON.parse(answer) as { systemActions: unknown[]; cards: { extension?: object }[] };
    if (systemActions.length === 0 || !cards.some((card) => card.extension && 'org.openpriorauth.denial-risk' in card.extension)) {
      throw new Error('the measured answer has no coverage-information or no denial-risk card');
    }
    for (const inFlight of [1, 16, 64]) {
      // Interleaved, so that whatever else the machine does meets both alike.
      const rounds = { echo: [] as Figures[], hook: [] as Figures[] };
      for (let round = 0; round < 3; round += 1) {
        rounds.echo.push(await measure(() => post(`${echo.base}/echo`, body), { durationMs: 2_000, inFlight, warmUp: round === 0 ? 300 : 20 }));
        rounds.hook.push(await measure(call, { durationMs: 2_000, inFlight, warmUp: round === 0 ? 300 : 20 }));
      }
      const baseline = middle(rounds.echo);
      const hook = middle(rounds.hook);
      const ratio = { p50: hook.p50Ms / baseline.p50Ms, p99: hook.p99Ms / baseline.p99Ms };
      console.log(row(`echo, ${inFlight} in flight`, baseline));
      console.log(row(`order-sign, ${inFlight} in flight`, hook, `p50 ${ratio.p50.toFixed(1)}x, p99 ${ratio.p99.toFixed(1)}x of the echo`));
      if (ratio.p50 > ENOUGH.p50) missed.push(`order-sign p50 at ${inFlight} in flight is ${ratio.p50.toFixed(1)}x the echo; the aim is ${ENOUGH.p50}x`);
      if (ratio.p99 > ENOUGH.p99) missed.push(`order-sign p99 at ${inFlight} in flight is ${ratio.p99.toFixed(1)}x the echo; the aim is ${ENOUGH.p99}x`);
    }
  } finally {
    await Promise.all([echo.stop(), system.stop()]);
  }
  return missed;
}

/** Each figure's median over the rounds. */
function middle(rounds: readonly Figures[]): Figures {
  const median = (read: (figures: Figures) => number) => rounds.map(read).sort((a, b) => a - b)[Math.floor(rounds.length / 2)] ?? Number.NaN;
  return { p50Ms: median((f) => f.p50Ms), p95Ms: median((f) => f.p95Ms), p99Ms: median((f) => f.p99Ms), perSecond: median((f) => f.perSecond) };
}

const agent = new Agent({ keepAlive: true, maxSockets: 128 });

function post(url: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${new URL(url).pathname} answered ${response.statusCode}: ${text.slice(0, 300)}`));
      });
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
