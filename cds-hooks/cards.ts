import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import type { Determination } from '#prior-auth/coverage-requirement/determine.ts';
import type { CriterionFinding } from '#prior-auth/coverage-requirement/requirement.ts';
import type { DenialRisk } from '#prior-auth/learning/denial-risk.ts';
import type { RequestedService } from '#prior-auth/order/requested-service.ts';

export interface Card {
  readonly uuid: string;
  readonly summary: string;
  readonly detail: string;
  readonly indicator: 'info' | 'warning';
  readonly source: { readonly label: string; readonly topic: { readonly system: string; readonly code: string; readonly display: string } };
  readonly links?: readonly { readonly label: string; readonly url: string; readonly type: 'smart'; readonly appContext: string }[];
  readonly extension: Readonly<Record<string, unknown>>;
}

export interface CardSubject {
  readonly service: RequestedService;
  readonly determination: Determination;
  readonly payerName: string;
  readonly uuid: string;
}

const OWN_TOPICS = 'https://openpriorauth.org/CodeSystem/card-topic';
/** CDS Hooks 2.0: fewer than 140 characters. */
const MAX_SUMMARY = 139;

/** What the policy asks to be documented. Undefined when everything is met and the policy has no words of its own. */
export function instructionsCard(subject: CardSubject): Card | undefined {
  const { determination } = subject;
  const open = determination.findings.filter((finding) => finding.status !== 'met');
  const instructions = determination.applicable?.revision.instructions;
  if (open.length === 0 && !instructions) return undefined;
  const list = open.length === 0 ? [] : ['**To document**', open.map((finding) => `- ${plain(finding.label)} (${finding.status === 'unknown' ? 'not found in the record' : 'the record says otherwise'})`).join('\n')];
  return card(subject, {
    summary: 'What the payer will look for',
    detail: [...(instructions ? [instructions] : []), ...list, sourceLine(determination)],
    indicator: 'info',
    topic: { system: CRD_URLS.codesTemp, code: 'guideline', display: 'Guideline' },
  });
}

export function denialRiskCard(subject: CardSubject, risk: DenialRisk): Card {
  const percent = Math.round(risk.probability * 100);
  const { findings } = subject.determination;
  const reasons = risk.reasons.slice(0, 3);
  const open = findings.filter((finding) => finding.status !== 'met');
  const simulated = risk.simulated ? ' (simulated)' : '';
  return card(subject, {
    summary: `Denial risk ${percent} %${simulated}`,
    detail: [
      `Estimated chance that the payer denies the request: **${percent} %${simulated}**.${risk.simulated ? ' The model has learned from simulated decisions only.' : ''}`,
      ...(reasons.length === 0 ? [] : ['**Why**', reasons.map((reason) => `- ${plain(reason.text)}`).join('\n')]),
      ...(findings.length === 0 ? [] : ["**The payer's criteria**", findings.map(findingLine).join('\n')]),
      '**What to do**',
      open.length === 0 ? '- Nothing is missing: send the request with the sources above.' : open.map((finding) => `- ${finding.status === 'unknown' ? 'Find or document' : 'Check before sending'}: ${plain(finding.label)}`).join('\n'),
      sourceLine(subject.determination),
    ],
    indicator: risk.band === 'high' ? 'warning' : 'info',
    topic: { system: OWN_TOPICS, code: 'denial-risk', display: 'Denial risk' },
    extension: {
      'org.openpriorauth.denial-risk': { probability: risk.probability, band: risk.band, simulated: risk.simulated, modelVersion: risk.modelVersion, reasons: risk.reasons, criteria: findings },
    },
  });
}

/** Opens the panel on the order. `launchUrl` is the panel's SMART launch address. */
export function panelLinkCard(subject: CardSubject, launchUrl: string): Card {
  const { service, determination } = subject;
  return {
    ...card(subject, {
      summary: 'Prepare the request',
      detail: ["The payer's form can be filled in from the record beside the chart."],
      indicator: 'info',
      topic: { system: OWN_TOPICS, code: 'prior-auth-panel', display: 'Prior authorization panel' },
    }),
    links: [{ label: 'Open the prior authorization panel', url: launchUrl, type: 'smart', appContext: JSON.stringify({ order: service.order, coverage: determination.requirement.coverage }) }],
  };
}

interface CardText {
  readonly summary: string;
  readonly detail: readonly string[];
  readonly indicator: Card['indicator'];
  readonly topic: Card['source']['topic'];
  readonly extension?: Card['extension'];
}

function card({ service, payerName, uuid }: CardSubject, { summary, detail, indicator, topic, extension }: CardText): Card {
  const code = service.codings[0]?.code;
  return {
    uuid,
    summary: `${summary}: ${service.display}`.slice(0, MAX_SUMMARY),
    detail: [`**${plain(service.display)}**${code && code !== service.display ? ` (${plain(code)})` : ''}`, ...detail].join('\n\n'),
    indicator,
    source: { label: payerName, topic },
    extension: { 'davinci-crd.associated-resource': [service.order], ...extension },
  };
}

const STATUS_WORDS: { readonly [S in CriterionFinding['status']]: string } = { met: 'Met', 'not-met': 'Not met', unknown: 'Not found' };

function findingLine({ status, label, evidence: [newest] }: CriterionFinding): string {
  const source = newest ? ` (source: ${plain(newest.display)}${newest.date ? `, ${newest.date.slice(0, 10)}` : ''})` : '';
  return `- ${STATUS_WORDS[status]}: ${plain(label)}${source}`;
}

function sourceLine({ applicable }: Determination): string {
  return applicable ? `Policy: ${applicable.policy.title}, revision ${applicable.revision.revision}. Based on ${applicable.revision.source.title}.` : '';
}

/** Text of a record, so that it cannot act as Markdown or HTML. */
function plain(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\`*_[\]<>#|~]/g, (character) => `\\${character}`);
}
