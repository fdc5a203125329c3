import type { ReactNode } from 'react';
import type { CaseView } from '#prior-auth/panel-api.ts';
import type { Authorization } from '#prior-auth/worklist-api.ts';
import { showDate } from '../../../ui/fhir-date.ts';
import { Badge } from '../../../ui/tone.tsx';
import { useNow } from '../../../ui/use-now.ts';
import { messages } from '../../messages.ts';

const DAY_MS = 86_400_000;
/** How long before its end an authorization is called to mind: time enough to ask for another. */
const SOON_DAYS = 30;

/** What was authorized, how much of it is used, and when it ends. */
export function AuthorizationRegister({ view: { authorizations = [], asked = [] } }: { readonly view: CaseView }): ReactNode {
  const words = messages.decision;
  if (authorizations.length === 0) return null;
  return (
    <section className="card stack" aria-labelledby="register-title">
      <h3 id="register-title">{words.register.title}</h3>
      {authorizations.map((line) => (
        <div key={line.sequence} className="stack-tight">
          {authorizations.length > 1 && <p className="strong">{asked.find(({ sequence }) => sequence === line.sequence)?.display ?? words.item(line.sequence)}</p>}
          <dl className="facts">
            <dt>{words.register.number}</dt><dd className="number">{line.number ?? words.register.none}</dd>
            <dt>{words.register.valid}</dt><dd className="row"><span className="number">{line.validFrom ?? line.validUntil ? words.fromTo(line.validFrom === null ? undefined : showDate(line.validFrom), line.validUntil === null ? undefined : showDate(line.validUntil)) : words.register.open}</span><End end={line.validUntil} /></dd>
            {line.authorized && <><dt>{words.register.authorized}</dt><dd className="number">{[line.authorized.value, line.authorized.unit].filter((part) => part !== undefined).join(' ')}</dd></>}
            {line.used !== null && <><dt>{words.register.used}</dt><dd className="number">{line.used}{leftWords(line)}</dd></>}
          </dl>
        </div>
      ))}
    </section>
  );
}

function leftWords({ authorized, used }: Authorization): string {
  if (!authorized || used === null) return '';
  const words = messages.decision.register;
  return used > authorized.value ? ` (${words.over})` : ` (${words.left(authorized.value - used, authorized.unit ?? '')})`;
}

/** By the reader's own calendar, to the day. */
function End({ end }: { readonly end: string | null }): ReactNode {
  const words = messages.decision.register;
  const now = useNow(60_000);
  if (end === null) return null;
  const today = new Date(now);
  const days = Math.round((Date.parse(`${end}T00:00:00Z`) - Date.UTC(today.getFullYear(), today.getMonth(), today.getDate())) / DAY_MS);
  if (Number.isNaN(days) || days > SOON_DAYS) return null;
  return days < 0 ? <Badge tone="bad">{words.ended(showDate(end))}</Badge> : <Badge tone="warn">{words.endsSoon(days)}</Badge>;
}
