import type { ReactNode } from 'react';
import type { DenialRisk } from '#prior-auth/learning/denial-risk.ts';
import { sayChange, sayReason } from '#prior-auth/learning/risk-words.ts';
import { showDate } from '../../../ui/fhir-date.ts';
import { language } from '../../../ui/language.ts';
import { Badge } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';

/** The estimate, always with the word that it is simulated, as long as it is. Never green: low risk is no approval. */
export function DenialRiskLine({ risk }: { readonly risk: DenialRisk }): ReactNode {
  const words = messages.risk;
  return (
    <details className="risk">
      <summary>
        <Badge tone={risk.band === 'low' ? 'plain' : 'warn'} icon={risk.band === 'low' ? 'info' : 'alert'}>
          {words.line(risk.band)}{risk.simulated && ` (${words.simulated})`}
        </Badge>
      </summary>
      <div className="stack small details-body">
        <p>{words.percent(Math.round(risk.probability * 100))}{risk.simulated && ` (${words.simulated})`}</p>
        {risk.simulated && <p>{words.simulatedLong}</p>}
        <div className="stack-tight">
          <h3 className="small">{words.reasons}</h3>
          {risk.reasons.length === 0 ? <p>{words.noReasons}</p> : (
            <ul className="bullets">
              {risk.reasons.map((reason) => (
                <li key={reason.feature}>
                  {sayReason(reason, language)}
                  {/* Where the sentence itself says so, it is not said twice. */}
                  {!(reason.says && 'raises' in reason.says) && <span className="muted"> ({reason.contribution > 0 ? words.raises : words.lowers})</span>}
                </li>
              ))}
            </ul>
          )}
        </div>
        {risk.lowering && (
          <div className="stack-tight">
            <h3 className="small">{words.lowering}</h3>
            <ul className="bullets">
              {risk.lowering.map(({ change, probability }) => (
                <li key={change.code}>{sayChange(change, language)} <span className="muted">({words.loweredTo(Math.round(probability * 100))}{risk.simulated && `, ${words.simulated}`})</span></li>
              ))}
            </ul>
          </div>
        )}
        <p className="muted">{risk.history ? words.history(risk.history.decisions, showDate(risk.history.asOf), risk.history.simulated === true) : words.noHistory}</p>
        <p className="muted">{words.model(risk.modelVersion)}{risk.simulated && ` (${words.simulated})`}</p>
      </div>
    </details>
  );
}
