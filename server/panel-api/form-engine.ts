import { calendarDay } from '#prior-auth/coverage-requirement/calendar-day.ts';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { Form } from '#prior-auth/questionnaire/form.ts';
import { openForm } from '#prior-auth/questionnaire/open-form.ts';
import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import { evaluateFhirPath } from './evaluate-fhirpath.ts';
import type { QuestionnairePackage } from '../questionnaire/package.ts';
import type { Session } from '../smart/sessions.ts';
import type { PopulatedForm } from '../store/case-tables.ts';
import type { PanelParts } from './panel-parts.ts';

interface StoredAnswers {
  readonly package: QuestionnairePackage;
  readonly response: QuestionnaireResponse;
  /** What the record gave, once it was read. */
  readonly populated?: PopulatedForm | null;
  readonly priorAuthCase: PriorAuthCase;
  readonly user: Session['user'];
}

/** The same engine as the screen's, so that what the screen calls complete is complete here. */
export function openStoredForm(
  { now, timeZoneOf }: Pick<PanelParts, 'now' | 'timeZoneOf'>,
  { package: { questionnaire, valueSets }, response, populated, priorAuthCase, user }: StoredAnswers,
): Form {
  return openForm({
    questionnaire,
    response,
    valueSets,
    author: { reference: user.reference, display: user.name },
    today: calendarDay(now(), timeZoneOf(priorAuthCase.payer.id)),
    now: () => new Date(now()).toISOString(),
    evaluate: evaluateFhirPath,
    ...(populated ? { populated: populated.response, variables: populated.variables } : {}),
  });
}
