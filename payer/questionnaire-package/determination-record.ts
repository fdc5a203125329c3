import type { Ask } from '../ask/ask.ts';
import type { PayerDatabase } from '../database.ts';

/** What was said on coverage at the end of an adaptive form. */
export interface KeptDetermination {
  readonly assertionId: string;
  /** url|version of the form. */
  readonly questionnaire: string;
  /** The number of the authorization that the answers earned. */
  readonly authorizationNumber?: string;
  /** The completed QuestionnaireResponse as JSON text. */
  readonly response: string;
}

/** The determinations that this payer gave to one caller. */
export interface DeterminationRecord {
  /** The same determination, kept again, changes nothing. */
  keep(determination: KeptDetermination): Promise<void>;
  /** The form that an assertion rests on, or that a reviewer asked for under this context; undefined for one that was never given to this caller. */
  questionnaireOf(assertionId: string): Promise<string | undefined>;
}

/** `now` in epoch milliseconds. */
export function determinationRecord(db: PayerDatabase, clientId: string, now: () => number): DeterminationRecord {
  return {
    async keep({ assertionId, questionnaire, authorizationNumber, response }) {
      await db
        .insertInto('payer.determination')
        .values({ client_id: clientId, assertion_id: assertionId, questionnaire, authorization_number: authorizationNumber ?? null, response, given_at: new Date(now()).toISOString() })
        .onConflict((conflict) => conflict.columns(['client_id', 'assertion_id']).doNothing())
        .execute();
    },
    async questionnaireOf(assertionId) {
      const row = await db.selectFrom('payer.determination').select('questionnaire').where('client_id', '=', clientId).where('assertion_id', '=', assertionId).executeTakeFirst();
      if (row) return row.questionnaire;
      const asked = await db.selectFrom('payer.information_request').select('ask').where('client_id', '=', clientId).where('context', '=', assertionId).orderBy('asked_at', 'desc').executeTakeFirst();
      const wants = asked && (JSON.parse(asked.ask) as Ask).wants;
      return wants?.kind === 'questionnaire' ? wants.questionnaire : undefined;
    },
  };
}
