import type { CodeableConcept, Identifier } from '@medplum/fhirtypes';
import { readInformationOrigin } from '#fhir/dtr/information-origin.ts';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { QuestionnaireResponse, QuestionnaireResponseItem, QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';
import type { DtrAction } from './metric-log.ts';

/** DTRMetricData of DTR 2.0.1, one per case. Names no patient and holds no answer. */
export interface DtrMetricData {
  readonly source: 'DTRApp-src';
  readonly providerId: Identifier;
  readonly groupId: Identifier;
  readonly payerId: Identifier;
  readonly assertionId: readonly string[];
  readonly docReason: readonly string[];
  readonly launchMode?: 'crdlaunch' | 'relaunch';
  readonly orderItem: readonly CodeableConcept[];
  readonly action: readonly MetricAction[];
  readonly questionnaire: readonly MetricQuestionnaire[];
  readonly coverageInfo: readonly object[];
}

interface MetricAction {
  readonly actionDetail: DtrAction;
  /** Instants. */
  readonly requestTime: string;
  readonly responseTime: string;
  readonly httpResponse?: number;
  readonly questionnaire?: string;
  readonly issue?: readonly { readonly code: 'processing' | 'transient'; readonly details: CodeableConcept }[];
}

interface MetricQuestionnaire {
  readonly reference: string;
  readonly adaptive: boolean;
  readonly populated: boolean;
  readonly enabledQuestions?: number;
  readonly autoPopulated?: number;
  readonly roleInteraction: readonly { readonly role: CodeableConcept; readonly roleAction: 'override' | 'manual'; readonly count: number }[];
  /** From the first action on the form to the last, hh:mm:ss. */
  readonly elapsedTime: string;
}

export interface MetricCase {
  readonly case: PriorAuthCase;
  readonly actions: readonly { readonly action: DtrAction; readonly questionnaire: string | null; readonly requestTime: Date; readonly responseTime: Date; readonly failure: string | null }[];
  readonly forms: readonly { readonly canonical: string; readonly adaptive: boolean; readonly populated: boolean; readonly response: QuestionnaireResponse }[];
}

const PAYER_SYSTEM = 'https://openpriorauth.org/payer-id';
const PROVIDER_ROLE: CodeableConcept = { text: 'user of the panel' };

export function writeMetricData({ case: one, actions, forms }: MetricCase): DtrMetricData {
  const { requirement, ehrBase, payer } = one;
  const launches = actions.filter(({ action }) => action === 'launch').length;
  return {
    source: 'DTRApp-src',
    providerId: { system: ehrBase, value: one.requester ?? 'unknown' },
    groupId: { system: 'urn:ietf:rfc:3986', value: ehrBase },
    payerId: { system: PAYER_SYSTEM, value: payer.id },
    assertionId: [requirement.assertionId],
    docReason: requirement.docPurpose,
    ...(launches === 0 ? {} : { launchMode: launches > 1 ? 'relaunch' : 'crdlaunch' }),
    orderItem: [{ coding: one.service.codings.map(({ system, code }) => ({ ...(system ? { system } : {}), code })) }],
    action: actions.map(({ action, questionnaire, requestTime, responseTime, failure }) => ({
      actionDetail: action,
      requestTime: requestTime.toISOString(),
      responseTime: responseTime.toISOString(),
      ...(failure === null ? { httpResponse: 200 } : {}),
      ...(questionnaire ? { questionnaire } : {}),
      ...(failure === null ? {} : { issue: [{ code: failure.endsWith('UNAVAILABLE') ? 'transient' : 'processing', details: { text: failure } }] as const }),
    })),
    questionnaire: forms.map(({ canonical, adaptive, populated, response }) => {
      const answers = answersOf(response.item);
      const origins = answers.map((answer) => readInformationOrigin(answer)?.source ?? 'auto');
      const automatic = origins.filter((origin) => origin.startsWith('auto')).length;
      const own = actions.filter((action) => action.questionnaire === canonical);
      const times = own.flatMap(({ requestTime, responseTime }) => [requestTime.getTime(), responseTime.getTime()]);
      const questions = questionsOf(response.item);
      return {
        reference: canonical,
        adaptive,
        populated,
        ...(questions > 0 ? { enabledQuestions: questions } : {}),
        ...(automatic > 0 ? { autoPopulated: automatic } : {}),
        roleInteraction: (['override', 'manual'] as const).flatMap((roleAction) => {
          const count = origins.filter((origin) => origin === roleAction).length;
          return count > 0 ? [{ role: PROVIDER_ROLE, roleAction, count }] : [];
        }),
        elapsedTime: clockTime(times.length === 0 ? 0 : Math.max(...times) - Math.min(...times)),
      };
    }),
    coverageInfo: [{ covered: requirement.covered, ...(requirement.paNeeded ? { paNeeded: requirement.paNeeded } : {}), ...(requirement.docNeeded ? { docNeeded: requirement.docNeeded } : {}), assertionId: requirement.assertionId, ...(requirement.satisfiedPaId ? { satisfiedId: requirement.satisfiedPaId } : {}) }],
  };
}

function answersOf(items: readonly QuestionnaireResponseItem[] | undefined): QuestionnaireResponseItemAnswer[] {
  return (items ?? []).flatMap(({ answer, item }) => [...(answer ?? []).flatMap((each) => [each, ...answersOf(each.item)]), ...answersOf(item)]);
}

function questionsOf(items: readonly QuestionnaireResponseItem[] | undefined): number {
  return (items ?? []).reduce((sum, { answer, item }) => sum + (item?.length && !answer ? 0 : 1) + questionsOf(item) + (answer ?? []).reduce((inner, each) => inner + questionsOf(each.item), 0), 0);
}

/** FHIR time has no more than a day. */
function clockTime(ms: number): string {
  return new Date(Math.min(ms, 86_399_000)).toISOString().slice(11, 19);
}
