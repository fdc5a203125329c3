import { z } from 'zod/mini';
import { MODEL_KINDS } from '#prior-auth/learning-api.ts';
import { readBody } from './access.ts';
import type { LearningRoutes } from './api.ts';
import type { TrainingTables } from './training-table.ts';

const newTable = z.strictObject({ kind: z.enum(MODEL_KINDS), simulated: z.boolean() });

/** Training tables and the way between a row and its decision, below /learning/api. Rows themselves are not given out here. */
export function lineageRoutes({ tables }: { readonly tables: TrainingTables }): LearningRoutes {
  return (api, access) => {
    api.get('/tables', access.for('viewer', async (_request, response) => void response.json({ tables: await tables.list() })));
    api.post('/tables', access.for('trainer', async (request, response, by) => {
      const { id, table, dataHash, faults } = await tables.make({ ...readBody(newTable, request.body), by: by.name });
      response.status(201).json({ id, rows: table.labels.length, dataHash, simulated: table.simulated, source: table.source, faults });
    }));
    // They lead to patients: whoever may look is the one who answers for what is live.
    api.get('/lineage/rows/:rowId', access.for('approver', async (request, response, by) => {
      response.json({ decisions: await tables.decisionOf(String(request.params['rowId']), by.name) });
    }));
    api.get('/lineage/cases/:caseId', access.for('approver', async (request, response, by) => {
      response.json({ rows: await tables.rowsOf(String(request.params['caseId']), by.name) });
    }));
  };
}
