import type { ReactNode } from 'react';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import { showDate } from '../../../ui/fhir-date.ts';
import { infoWords, messages, requirementWords } from '../../messages.ts';

/** What the payer asks, in plain words: the first sentence always, the rest on demand. */
export function RequirementDetails({ requirement }: { readonly requirement: CoverageRequirement }): ReactNode {
  const words = messages.requirement;
  const [first, ...others] = requirementWords(requirement);
  return (
    <section className="stack-tight" aria-labelledby="requirement-title">
      <h3 id="requirement-title">{words.title}</h3>
      <p>{first}</p>
      <details>
        <summary className="small">{messages.requirement.reasons}</summary>
        <div className="stack small details-body">
          <ul className="bullets">
            {[...others, ...requirement.reasons].map((sentence) => <li key={sentence}>{sentence}</li>)}
            {requirement.questionnaires.length > 0 && <li>{words.formCount(requirement.questionnaires.length)}</li>}
            {requirement.infoNeeded.length > 0 && <li>{words.info}: {requirement.infoNeeded.map((info) => infoWords[info]).join(', ')}.</li>}
          </ul>
          <dl className="facts muted">
            {requirement.policy && <><dt>{words.policy}</dt><dd>{requirement.policy.policyId}, {words.revision(requirement.policy.revision)}</dd></>}
            <dt>{words.determined}</dt><dd>{showDate(requirement.date)}</dd>
            <dt>{words.assertion}</dt><dd>{requirement.assertionId}</dd>
          </dl>
        </div>
      </details>
    </section>
  );
}
