import { Router } from 'express';
import { sql } from 'kysely';
import type { Registry } from 'prom-client';
import type { Store } from '#store/database.ts';
import type { Part } from './part.ts';

/** Liveness, readiness and Prometheus figures. */
export function healthRouter(store: Store, parts: readonly Part[], registry: Registry): Router {
  const router = Router();
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'alive' });
  });
  router.get('/readyz', async (_request, response) => {
    const missing = parts.flatMap((part) => {
      const reason = part.notReady?.();
      return reason ? [`${part.name}: ${reason}`] : [];
    });
    const database = await Promise.race([
      sql`select 1`.execute(store.db).then(() => true, () => false),
      new Promise<false>((resolve) => setTimeout(resolve, 2_000, false).unref()),
    ]);
    if (!database) missing.push('database: no answer');
    response.status(missing.length === 0 ? 200 : 503).json({ status: missing.length === 0 ? 'ready' : 'not ready', missing });
  });
  router.get('/metrics', async (_request, response) => {
    response.type(registry.contentType).send(await registry.metrics());
  });
  return router;
}
