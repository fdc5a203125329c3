import type { Logger } from 'pino';
import type { Store } from '#store/database.ts';
import type { PopulateInput, Population } from './population.ts';
import type { AuthorisedFetch, PackageAnswer, PackageRequest } from './questionnaire-package.ts';

export interface QuestionnaireServiceOptions {
  readonly store: Store;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export interface QuestionnaireService {
  /** Throws PriorAuthError PAYER_UNAVAILABLE, PAYER_REFUSED or PAYER_ANSWER_UNREADABLE. */
  fetchPackage(payer: { readonly base: string; readonly fetch: AuthorisedFetch }, request: PackageRequest): Promise<PackageAnswer>;
  /** Never throws for what the payer's form or the record lacks: that is in `warnings`. */
  populate(input: PopulateInput): Promise<Population>;
  /** Starts the CQL worker and loads its models, so that the first form is as quick as the next. */
  warmUp(): Promise<void>;
  stop(): Promise<void>;
}

export async function createQuestionnaireService(_options: QuestionnaireServiceOptions): Promise<QuestionnaireService> {
  throw new Error("being built");
}
