import { type CardSubject, frameCard, OWN_LABEL, plain } from '../card-frame.ts';
import type { Card } from '../hook-answer.ts';
import { NOT_DOCUMENTED_NOW } from '../override-reasons.ts';
import { OWN_TOPICS } from './denial-risk-card.ts';

export const INSTRUCTIONS = 'instructions';
export const PANEL_LINK = 'prior-auth-panel';

/**
 * What the policy asks to be documented. `listOpen`: with the criteria that are not met or not found, where no denial-risk card lists them.
 * Undefined when there is nothing to say.
 */
export function instructionsCard(subject: CardSubject, listOpen: boolean): Card | undefined {
  const { determination, service } = subject.focus;
  const open = listOpen ? determination.findings.filter((finding) => finding.status !== 'met') : [];
  const instructions = determination.applicable?.revision.instructions;
  if (open.length === 0 && !instructions) return undefined;
  const list = open.length === 0 ? [] : ['**To document**', open.map((finding) => `- ${plain(finding.label)} (${finding.unread ? 'not checked, the record could not be read' : finding.status === 'unknown' ? 'not found in the record' : 'the record says otherwise'})`).join('\n')];
  return frameCard(subject, {
    kind: INSTRUCTIONS,
    summary: `What the payer will look for: ${service?.display ?? ''}`,
    detail: [...(instructions ? [instructions] : []), ...list],
    indicator: 'info',
    topic: subject.writer.topic('guideline', 'Guideline'),
    overrideReasons: NOT_DOCUMENTED_NOW,
  });
}

/** Opens the panel on the order. `launchUrl` is the panel's SMART launch address. `undefined` for what is no order with a code. */
export function panelLinkCard(subject: CardSubject, launchUrl: string): Card | undefined {
  const { service, determination } = subject.focus;
  if (!service) return undefined;
  return {
    ...frameCard(subject, {
      kind: PANEL_LINK,
      speaker: OWN_LABEL,
      summary: `Prepare the request: ${service.display}`,
      detail: [determination.requirement.questionnaires.length > 0 ? "The payer's form can be filled in from the record beside the chart." : 'The request can be prepared and sent beside the chart.'],
      indicator: 'info',
      topic: { system: OWN_TOPICS, code: PANEL_LINK, display: 'Prior authorization panel' },
    }),
    links: [{ label: 'Open the prior authorization panel', url: launchUrl, type: 'smart', appContext: JSON.stringify({ order: service.order, coverage: determination.requirement.coverage }) }],
  };
}
