import { z } from 'zod/mini';
import { alertStep, MODEL_KINDS, thresholdChange, trainingOrder, type MonitoringReport, type TrainingRun } from '#prior-auth/learning-api.ts';
import { readBody } from './access.ts';
import type { LearningRoutes } from './api.ts';
import type { Monitoring } from './monitoring.ts';
import type { TrainingRuns } from './training-runs.ts';
import type { Triggers } from './triggers.ts';

const kindOf = z.strictObject({ kind: z._default(z.enum(MODEL_KINDS), 'denial-risk') });

/** Drift, alerts, limits and retrainings below /learning/api. */
export function monitoringRoutes({ monitoring, triggers, runs }: { readonly monitoring: Monitoring; readonly triggers: Triggers; readonly runs: TrainingRuns }): LearningRoutes {
  return (api, access) => {
    api.get('/monitoring', access.for('viewer', async (request, response) => {
      response.json((await monitoring.report(readBody(kindOf, request.query).kind)) satisfies MonitoringReport);
    }));
    for (const step of ['acknowledge', 'close'] as const) {
      api.post(`/alerts/:id/${step}`, access.for('trainer', async (request, response, by) => {
        response.json(await monitoring.alerts[step](String(request.params['id']), by.name, readBody(alertStep, request.body).note));
      }));
    }
    api.post('/thresholds', access.for('approver', async (request, response, by) => {
      await monitoring.changeThreshold(readBody(thresholdChange, request.body), by.name);
      response.json({});
    }));
    api.get('/trainings', access.for('viewer', async (_request, response) => {
      response.json({ trainings: (await runs.list()) satisfies readonly TrainingRun[] });
    }));
    api.post('/trainings', access.for('trainer', async (request, response, by) => {
      const { kind, why } = readBody(trainingOrder, request.body);
      response.status(202).json(await triggers.ask(kind, why, by.name));
    }));
    api.post('/trainings/:id/stop', access.for('trainer', async (request, response, by) => {
      await runs.stop(String(request.params['id']), by.name);
      response.json({});
    }));
  };
}
