import type { Bundle, Claim, ClaimItem, Identifier, Organization, Practitioner } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import type { MetricExchange, MetricItem, PasMetricData } from '#fhir/pas/metric-data.ts';
import { type CaseState, type PriorAuthCase, standingAnswer } from '#prior-auth/case.ts';
import type { SubmissionKeys } from '#prior-auth/pas-bundle/build-submission.ts';
import { clockOf, isFinal } from '#prior-auth/payer-decision/deadlines.ts';
import type { ItemDecision, PayerDecision } from '#prior-auth/payer-decision/decision.ts';

/** What is known of one prior authorization when figures are asked for. Instants are ISO. */
export interface MetricCase {
  readonly case: PriorAuthCase;
  readonly timeZone: string;
  /** Oldest first. */
  readonly exchanges: readonly (Omit<MetricExchange, 'with' | 'method'> & { readonly issues: NonNullable<PasMetricData['issue']>; readonly aaaCodes: NonNullable<PasMetricData['aaaCodes']> })[];
  /** Oldest first; what never left is not among them. */
  readonly submissions: readonly { readonly keys: SubmissionKeys; readonly bundle: Bundle; readonly submittedAt: string }[];
  /** When answers with a ClaimResponse came. */
  readonly answeredAt: readonly string[];
  /** `overall` of each decision as it came, oldest first. */
  readonly decisions: readonly string[];
}

export function writePasMetricData({ case: one, timeZone, exchanges, submissions, answeredAt, decisions }: MetricCase): PasMetricData {
  const latest = submissions.at(-1);
  const decision = decisionOf(one.state);
  const submittedAt = submissions[0]?.submittedAt;
  const group = identifierIn(latest?.bundle, 'profile-requestor');
  const provider = identifierIn(latest?.bundle, 'profile-practitioner');
  const asks = 'asks' in one.state ? (one.state.asks ?? []) : [];
  const issue = exchanges.flatMap(({ issues }) => issues);
  const aaaCodes = exchanges.flatMap((exchange) => exchange.aaaCodes);
  const [firstAnswer] = answeredAt;
  return {
    source: 'provider-src',
    providerId: provider ?? group ?? UNKNOWN,
    groupId: group ?? UNKNOWN,
    payerId: identifierIn(latest?.bundle, 'profile-insurer') ?? { system: 'https://openpriorauth.org/payer-id', value: one.payer.id },
    exchange: exchanges.map(({ type, requestTime, responseTime, httpResponse }) => ({ type, with: 'payer', method: 'restful', requestTime, ...(responseTime ? { responseTime } : {}), httpResponse })),
    ...(issue.length > 0 ? { issue } : {}),
    ...(aaaCodes.length > 0 ? { aaaCodes } : {}),
    itemDetail: latest ? itemsOf(one, latest, submissions, decision, answeredAt) : [],
    ...(asks.length > 0 && firstAnswer
      ? {
          requestedDoc: asks.map(({ wants, answeredAt: sent }) => ({
            docRequest: wants.kind === 'attachment' ? wants.codes.map((coding) => ({ coding: [coding] })) : [{ text: 'questionnaire' }],
            timeRequested: firstAnswer,
            ...(sent ? { timeSubmitted: sent, submissionMethod: wants.kind === 'attachment' ? ('CDex' as const) : ('other' as const) } : {}),
          })),
        }
      : {}),
    review: {
      priority: one.service.priority === 'routine' ? 'standard' : 'expedited',
      ...(submittedAt ? { dueTime: clockOf({ priority: one.service.priority, submittedAt, timeZone }).dueAt } : {}),
      approvedAfterAppeal: isApproval(decision?.overall) && decisions.slice(0, -1).includes('denied'),
    },
  };
}

const UNKNOWN: Identifier = { value: 'unknown' };
const isApproval = (overall: string | undefined): boolean => overall === 'approved' || overall === 'modified' || overall === 'partly-approved';

function decisionOf(state: CaseState): PayerDecision | undefined {
  return state.kind === 'cancelled' ? state.decision : standingAnswer(state)?.decision;
}

function itemsOf(one: PriorAuthCase, { bundle, keys }: MetricCase['submissions'][number], submissions: MetricCase['submissions'], decision: PayerDecision | undefined, answeredAt: readonly string[]): MetricItem[] {
  const claim = bundle.entry?.map(({ resource }) => resource).find((resource): resource is Claim => resource?.resourceType === 'Claim');
  return keys.items.flatMap(({ sequence, order, cancelled }) => {
    const item = claim?.item?.find((each) => each.sequence === sequence);
    if (!item) return [];
    const said = decision?.items.find((each) => each.sequence === sequence)?.decision;
    const taken = cancelled || one.state.kind === 'cancelled';
    const result = taken ? 'cancelled' : said && said.kind !== 'unreadable' ? said.kind : undefined;
    const first = submissions.find((each) => each.keys.items.some((key) => key.sequence === sequence));
    const place = placeOf(item);
    const ended = one.state.kind === 'cancelled' ? one.state.cancelledAt : decision && isFinal(decision) && !taken ? decision.decidedAt : undefined;
    return [
      {
        trn: sequence,
        item: { coding: (item.productOrService.coding ?? []).map(({ system, code }) => ({ ...(system ? { system } : {}), ...(code ? { code: code.trim() } : {}) })) },
        ...(order === undefined || order === one.service.order ? { assertionId: one.requirement.assertionId } : {}),
        ...(first ? { initialSubmissionTime: first.submittedAt } : {}),
        ...(ended ? { finalResponseTime: ended } : {}),
        ...(answeredAt.length > 0 ? { responsesRequired: answeredAt.length } : {}),
        ...(place ? { locationType: place } : {}),
        ...(result ? { result } : {}),
        ...denialOf(said),
      },
    ];
  });
}

function denialOf(said: ItemDecision | undefined): Pick<MetricItem, 'denialReason'> {
  const [reason] = said?.kind === 'denied' ? said.reasonCodes : [];
  return reason ? { denialReason: reason } : {};
}

const INPATIENT = new Set(['21', '31', '34', '51', '55', '56', '61']);
const HOME = new Set(['12', '13', '14', '33']);

/** From CMS's place of service. */
function placeOf({ locationCodeableConcept }: ClaimItem): MetricItem['locationType'] {
  const code = locationCodeableConcept?.coding?.[0]?.code;
  return code === undefined ? undefined : INPATIENT.has(code) ? 'inpatient' : HOME.has(code) ? 'home' : 'outpatient';
}

/** The NPI, else the first identifier, of the bundle's resource of that profile. */
function identifierIn(bundle: Bundle | undefined, profile: string): Identifier | undefined {
  const found = bundle?.entry
    ?.map(({ resource }) => resource)
    .find((resource): resource is Organization | Practitioner => (resource?.resourceType === 'Organization' || resource?.resourceType === 'Practitioner') && resource.meta?.profile?.some((url) => url.split('|')[0]?.endsWith(profile)) === true);
  const identifier = found?.identifier?.find(({ system }) => system === CODE_SYSTEMS.npi) ?? found?.identifier?.[0];
  return identifier?.value ? { ...(identifier.system ? { system: identifier.system } : {}), value: identifier.value } : undefined;
}
