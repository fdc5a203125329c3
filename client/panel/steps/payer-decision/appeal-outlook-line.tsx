import type { ReactNode } from 'react';
import type { AppealOutlook } from '#prior-auth/learning/appeal-outlook.ts';
import { locale } from '../../../ui/language.ts';
import { Badge } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';

const percent = (share: number): number => Math.round(share * 100);

/** What outside reviewers did with like denials, always with where it comes from and what it is not. */
export function AppealOutlookLine({ outlook }: { readonly outlook: AppealOutlook }): ReactNode {
  const words = messages.decision.appeal;
  const { checked, likenedTo, learntFrom, areaUnderRoc } = outlook;
  return (
    <details className="risk">
      <summary><Badge tone="plain" icon="info">{words.line(percent(outlook.overturned))}</Badge></summary>
      <div className="stack small details-body">
        <p>{checked ? words.checked(checked.year, checked.count, percent(checked.overturned), percent(checked.low), percent(checked.high)) : words.notChecked}</p>
        <p>{words.like}: <span lang="en">{likenedTo.diagnosis}; {likenedTo.treatment}</span> ({words.likeCases(outlook.likeCases)}).</p>
        <div className="stack-tight">
          <h3 className="small">{words.limits}</h3>
          <ul className="bullets">
            <li>{words.scope(learntFrom.from, learntFrom.to)}</li>
            <li>{words.weak(areaUnderRoc.value.toLocaleString(locale, { maximumFractionDigits: 2 }))}</li>
            <li>{words.notThePatient}</li>
            <li>{words.uneven}</li>
          </ul>
        </div>
        <p className="muted">{words.source} {words.model(outlook.modelVersion)}</p>
      </div>
    </details>
  );
}
