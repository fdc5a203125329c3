import type { CriterionFinding } from '#prior-auth/coverage-requirement/requirement.ts';
import type { DenialRisk } from '#prior-auth/learning/denial-risk.ts';
import { sayChange } from '#prior-auth/learning/risk-words.ts';
import { type CardSubject, frameCard, OWN_LABEL, plain } from '../card-frame.ts';
import type { Card } from '../hook-answer.ts';
import { NOT_DOCUMENTED_NOW } from '../override-reasons.ts';

/** Topics that no code of CRD fits; its binding is extensible. */
export const OWN_TOPICS = 'https://openpriorauth.org/CodeSystem/card-topic';
export const DENIAL_RISK = 'denial-risk';

const MAX_REASONS = 3;
const MAX_STEPS = 3;

/** How likely a denial is, why, what of the payer's criteria the record shows, and what to do. It says nothing of what coverage-information says. */
export function denialRiskCard(subject: CardSubject, given: DenialRisk, primary: boolean): Card {
  const { determination: { findings }, service } = subject.focus;
  const risk = toldOfUnread(given, findings);
  const percent = Math.round(risk.probability * 100);
  const simulated = risk.simulated ? ' (simulated)' : '';
  const reasons = risk.reasons.slice(0, MAX_REASONS);
  return frameCard(subject, {
    kind: DENIAL_RISK,
    speaker: `${OWN_LABEL} (an estimate, not the payer's word)`,
    summary: `Denial risk ${percent} %${simulated}: ${service?.display ?? ''}`,
    detail: [
      `Estimated chance that the payer denies the request: **${percent} %${simulated}**.${risk.simulated ? ' The model has learned from simulated decisions only.' : ''}${seen(risk)}`,
      ...(reasons.length === 0 ? [] : ['**Why**', reasons.map((reason) => `- ${plain(reason.text)}`).join('\n')]),
      ...(findings.length === 0 ? [] : ["**The payer's criteria**", findings.map(findingLine).join('\n')]),
      '**What to do**',
      whatToDo(findings, primary),
      ...(risk.lowering === undefined ? [] : ['**What would lower the estimate**', risk.lowering.slice(0, MAX_STEPS).map(({ change, probability }) => `- ${sayChange(change, 'en')}: to about ${Math.round(probability * 100)} %${simulated}`).join('\n')]),
      `Model ${risk.modelVersion}${simulated}.`,
    ],
    indicator: risk.band === 'high' ? 'warning' : 'info',
    topic: { system: OWN_TOPICS, code: DENIAL_RISK, display: 'Denial risk' },
    extension: { 'org.openpriorauth.denial-risk': machineReadable(risk, findings) },
    overrideReasons: NOT_DOCUMENTED_NOW,
  });
}

/** The model counts what the record does not show; that some of it could not be read is for the words. */
function toldOfUnread(risk: DenialRisk, findings: readonly CriterionFinding[]): DenialRisk {
  const unread = findings.filter((finding) => finding.unread).length;
  if (unread === 0) return risk;
  return { ...risk, reasons: risk.reasons.map((reason) => (reason.says?.code === 'criteria-unknown' ? { ...reason, text: `${unread} of ${findings.length} payer criteria not checked: the record could not be read` } : reason)) };
}

/** What is not known and lists without members are left out, as everywhere in CDS Hooks. */
function machineReadable({ probability, band, simulated, modelVersion, reasons, lowering, history }: DenialRisk, findings: readonly CriterionFinding[]): object {
  const criteria = findings.map(({ evidence, ...finding }) => ({ ...finding, ...(evidence.length === 0 ? {} : { evidence }) }));
  const said = reasons.map(({ says, ...reason }) => ({ ...reason, ...(says ? { says: Object.fromEntries(Object.entries(says).filter(([, value]) => value !== null)) } : {}) }));
  return { probability, band, simulated, modelVersion, ...(history ? { history } : {}), ...(reasons.length === 0 ? {} : { reasons: said }), ...(lowering === undefined ? {} : { lowering }), ...(criteria.length === 0 ? {} : { criteria }) };
}

/** How old the past decisions are that the score rests on. */
function seen({ history }: DenialRisk): string {
  return history ? ` It takes ${history.decisions} decision${history.decisions === 1 ? '' : 's'}${history.simulated ? ' (simulated)' : ''} of the last year into account, as known at ${history.asOf.slice(0, 16).replace('T', ' ')} UTC.` : '';
}

const STATUS_WORDS: { readonly [S in CriterionFinding['status']]: string } = { met: 'Met', 'not-met': 'Not met', unknown: 'Not found in the record' };

function findingLine({ status, unread, label, evidence: [newest] }: CriterionFinding): string {
  const source = newest ? ` (source: ${plain(newest.display)}${newest.date ? `, ${newest.date.slice(0, 10)}` : ''})` : '';
  return `- ${unread ? 'Not checked, the record could not be read' : STATUS_WORDS[status]}: ${plain(label)}${source}`;
}

/** A secondary hook asks for no documents (CRD, hook categories); what the chart holds already may be looked for at any time. */
function whatToDo(findings: readonly CriterionFinding[], primary: boolean): string {
  const open = findings.filter((finding) => finding.status !== 'met');
  if (open.length === 0) return findings.length === 0 ? '- The policy names no criteria: send the request with its reason.' : '- Nothing is missing: send the request with the sources above.';
  return open.map(({ status, unread, label }) => `- ${unread ? 'Look in the chart, it could not be read from here' : status === 'unknown' ? (primary ? 'Find or document' : 'See whether the chart has it') : 'Check before sending, the record says otherwise'}: ${plain(label)}`).join('\n');
}
