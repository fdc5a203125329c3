import type { Store } from '#store/database.ts';
import type { CaseTables } from '../store/case-tables.ts';
import { writeMetricData } from './dtr-metric-data.ts';
import type { DtrTables } from './metric-log.ts';
import type { QuestionnairePackage } from './package.ts';

/** DTRMetricData of every case with an action from `from` on and before `to`, as lines of NDJSON. */
export async function* exportDtrMetrics(store: Store, from: Date, to: Date): AsyncGenerator<string> {
  const actions = store.db.withTables<DtrTables>();
  const cases = store.db.withTables<CaseTables>();
  const asked = await actions.selectFrom('dtr.action').select('case_id').distinct().where('request_time', '>=', from.toISOString()).where('request_time', '<', to.toISOString()).orderBy('case_id').execute();
  for (const { case_id } of asked) {
    const found = await cases.selectFrom('cases.prior_auth_case').select('document').where('id', '=', case_id).executeTakeFirst();
    if (!found) continue;
    const done = await actions.selectFrom('dtr.action').selectAll().where('case_id', '=', case_id).orderBy('request_time').orderBy('id').execute();
    const forms = await cases.selectFrom('cases.form').select(['package', 'response', 'population']).where('case_id', '=', case_id).orderBy('position').execute();
    const record = writeMetricData({
      case: found.document,
      actions: done.map((row) => ({ action: row.action, questionnaire: row.questionnaire, requestTime: new Date(row.request_time), responseTime: new Date(row.response_time), failure: row.failure })),
      forms: forms.map(({ package: form, response, population }) => {
        // Written by the form store only.
        const { canonical, adaptive } = form as QuestionnairePackage;
        return { canonical, adaptive: adaptive !== undefined, populated: population.status === 'done', response };
      }),
    });
    yield `${JSON.stringify(record)}\n`;
  }
}
