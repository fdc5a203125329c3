import type { ReactNode } from 'react';
import { FocusHeading } from '../ui/focus-heading.tsx';
import { Notice } from '../ui/tone.tsx';
import { CardView } from './card-view.tsx';
import type { CoverageInformation, Signed } from './ehr-api.ts';
import { coverageWords, infoWords, messages, nothingNeeded } from './messages.ts';
import { OpenPanelButton } from './open-panel-button.tsx';

interface SignedOrderProps {
  readonly signed: Signed;
  readonly title: string;
  readonly patientId: string;
  readonly onLaunch: (launchUrl: string) => void;
  readonly onAccepted: () => void;
}

/** What came back when the order was signed. */
export function SignedOrder({ signed, title, patientId, onLaunch, onAccepted }: SignedOrderProps): ReactNode {
  const words = messages.signed;
  const quiet = signed.coverageInformation.length > 0 && signed.coverageInformation.every(nothingNeeded);
  return (
    <section className="card stack signed">
      <div className="stack-tight">
        <FocusHeading>{words.title(title)}</FocusHeading>
        {signed.hook && !signed.failure && <p className="small muted number">{words.ms(signed.hook.ms)}</p>}
      </div>
      {signed.failure && <Notice tone="warn" live="polite"><p className="strong">{words.failure[signed.failure.kind].title}</p><p>{signed.failure.message}</p><p>{words.failure[signed.failure.kind].next}</p></Notice>}
      {!signed.failure && signed.coverageInformation.length === 0 && <Notice tone="unknown"><p>{words.noAnswer}</p></Notice>}
      {signed.coverageInformation.map((information, index) => <Coverage key={information.assertionId ?? index} information={information} quiet={quiet && signed.cards.length === 0} />)}
      {!quiet && !signed.failure && signed.coverageInformation.length > 0 && <OpenPanelButton order={signed.order} display={title} onLaunch={onLaunch} />}
      {signed.cards.map((card, index) => <CardView key={card.uuid ?? index} card={card} order={signed.order} patientId={patientId} onLaunch={onLaunch} onAccepted={onAccepted} />)}
    </section>
  );
}

function Coverage({ information, quiet }: { readonly information: CoverageInformation; readonly quiet: boolean }): ReactNode {
  const words = messages.signed;
  const [first, ...others] = coverageWords(information);
  const forms = information.questionnaires?.length ?? 0;
  const { reasons = [], contacts = [] } = information;
  const info = infoWords(information);
  return (
    <Notice tone={information.paNeeded === 'auth-needed' ? 'warn' : 'info'}>
      <h3>{first}</h3>
      {others.map((sentence) => <p key={sentence}>{sentence}</p>)}
      {reasons.length > 0 && <><p>{words.why}</p><ul className="bullets">{reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul></>}
      {info !== '' && <p>{words.info}: {info}.</p>}
      {forms > 0 && <p>{words.forms(forms)}</p>}
      {quiet && <p>{words.nothing}</p>}
      {contacts.map((contact) => <p key={contact}>{words.contact}: {contact}</p>)}
      {information.assertionId !== undefined && <p className="small">{words.assertion}: <span className="number">{information.assertionId}</span></p>}
    </Notice>
  );
}
