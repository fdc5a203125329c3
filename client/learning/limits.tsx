import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { Threshold } from '#prior-auth/learning-api.ts';
import { showDate } from '../ui/fhir-date.ts';
import { count, decimal } from './figures.ts';
import { changeThreshold } from './learning-call.ts';
import { messages } from './messages.ts';
import { FiguresTable, Section } from './section.tsx';
import { StepDrawer } from './step-drawer.tsx';

interface LimitsProps {
  readonly thresholds: readonly Threshold[];
  readonly mayChange: boolean;
  readonly onChanged: () => void;
}

/** Above which figure an alert opens, and why there. */
export function Limits({ thresholds, mayChange, onChanged }: LimitsProps): ReactNode {
  const words = messages.limits;
  const [changing, setChanging] = useState<Threshold>();
  const nameOf = ({ name }: Threshold): string => words.thresholds[name].name;
  return (
    <Section title={words.title}>
      <FiguresTable
        caption={words.title}
        head={[words.name, words.limit, words.least, words.reason, ...(mayChange ? [words.change] : [])]}
        rows={thresholds.map((threshold) => [
          nameOf(threshold),
          <span key="limit">{decimal(threshold.limit, threshold.limit < 1 ? 2 : 0)} <span className="small muted">{threshold.changed === null ? words.isDefault : words.changed(threshold.changed.by, showDate(threshold.changed.at))}</span></span>,
          count(threshold.leastRows),
          <span key="reason" className="reason">{words.thresholds[threshold.name].reason}</span>,
          ...(mayChange ? [<Button key="change" size="xs" variant="default" aria-label={`${words.change}: ${nameOf(threshold)}`} onClick={() => setChanging(threshold)}>{words.change}</Button>] : []),
        ])}
      />
      {changing && (
        <StepDrawer
          title={words.confirm(nameOf(changing))}
          submit={words.change}
          number={{ label: words.newLimit, first: changing.limit, least: 0.01, most: 10_000, step: 0.01 }}
          take={(why, limit) => changeThreshold({ name: changing.name, limit, why })}
          onClose={() => setChanging(undefined)}
          onDone={onChanged}
        />
      )}
    </Section>
  );
}
