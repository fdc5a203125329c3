import type { ReactNode } from 'react';
import type { CaseView } from '#prior-auth/panel-api.ts';
import type { Authorization } from '#prior-auth/payer-decision/authorization-register.ts';
import { showDate } from '../../../ui/fhir-date.ts';
import { Badge, type Tone } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';

const TONES: Readonly<Record<Authorization['status'], Tone>> = { 'in-force': 'info', 'not-yet': 'waiting', 'ends-soon': 'warn', ended: 'bad', 'used-up': 'bad' };

/** What was authorized, how much of it is used, and when it ends, by the payer's calendar. */
export function AuthorizationRegister({ view: { authorizations = [], asked = [] } }: { readonly view: CaseView }): ReactNode {
  const words = messages.decision;
  if (authorizations.length === 0) return null;
  return (
    <section className="card stack" aria-labelledby="register-title">
      <h3 id="register-title">{words.register.title}</h3>
      {authorizations.map((line) => (
        <div key={line.sequence} className="stack-tight">
          <p className="row-apart">
            <span className="strong">{asked.find(({ sequence }) => sequence === line.sequence)?.display ?? words.item(line.sequence)}</span>
            <Badge tone={TONES[line.status]}>{words.register.states[line.status]}</Badge>
          </p>
          <dl className="facts">
            <dt>{words.register.number}</dt><dd className="number">{line.number ?? words.register.none}</dd>
            <dt>{words.register.valid}</dt><dd className="number">{validWords(line)}</dd>
            {line.authorized && <><dt>{words.register.authorized}</dt><dd className="number">{[line.authorized.value, line.authorized.unit].filter((part) => part !== undefined).join(' ')}</dd></>}
            <dt>{words.register.used}</dt><dd className="number">{line.used}{line.left !== null && ` (${line.left < 0 ? words.register.over : words.register.left(line.left, line.authorized?.unit ?? '')})`}</dd>
          </dl>
        </div>
      ))}
    </section>
  );
}

function validWords({ validity, daysLeft }: Authorization): string {
  const words = messages.decision;
  const { start, end } = validity ?? {};
  if (start === undefined && end === undefined) return words.register.open;
  const days = words.fromTo(start && showDate(start.slice(0, 10)), end && showDate(end.slice(0, 10)));
  return daysLeft === null || daysLeft < 0 ? days : `${days} (${words.register.daysLeft(daysLeft)})`;
}
