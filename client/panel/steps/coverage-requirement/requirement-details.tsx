import type { ReactNode } from 'react';
import type { RequestedService } from '#prior-auth/order/requested-service.ts';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import { showDate } from '../../../ui/fhir-date.ts';
import { infoWords, messages, requirementWords } from '../../messages.ts';

interface RequirementDetailsProps {
  readonly requirement: CoverageRequirement;
  readonly service: RequestedService;
  /** The request has left: what was asked is history. */
  readonly answered: boolean;
}

/** What the payer asks, in plain words: the first sentence always, the rest on demand. */
export function RequirementDetails({ requirement, service, answered }: RequirementDetailsProps): ReactNode {
  const words = messages.requirement;
  const sentences = requirementWords(requirement);
  const others = answered ? sentences : sentences.slice(1);
  return (
    <section className="stack-tight" aria-label={words.title}>
      {!answered && <p>{sentences[0]}</p>}
      <details>
        <summary className="small">{answered ? words.asked : words.reasons}</summary>
        <div className="stack small details-body">
          <ul className="bullets">
            {[...others, ...requirement.reasons].map((sentence) => <li key={sentence}>{sentence}</li>)}
            {requirement.questionnaires.length > 0 && <li>{words.formCount(requirement.questionnaires.length)}</li>}
            {requirement.infoNeeded.length > 0 && <li>{words.info}: {requirement.infoNeeded.map((info) => infoWords[info]).join(', ')}.</li>}
          </ul>
          <dl className="facts">
            <dt>{messages.order.reason}</dt><dd>{reasonWords(service)}</dd>
            {requirement.policy && <><dt>{words.policy}</dt><dd>{requirement.policy.policyId}, {words.revision(requirement.policy.revision)}</dd></>}
            <dt>{words.determined}</dt><dd>{showDate(requirement.date)}</dd>
            <dt>{words.assertion}</dt><dd>{requirement.assertionId}</dd>
          </dl>
        </div>
      </details>
    </section>
  );
}

function reasonWords({ reasonCodes, reasonReferences }: RequestedService): string {
  const reasons = reasonCodes.length > 0 ? reasonCodes.map((reason) => reason.display ?? reason.code) : reasonReferences;
  return reasons.join('; ') || messages.order.noReason;
}
