import type { ReactNode } from 'react';
import type { Figure, SubgroupGap } from '#prior-auth/learning-api.ts';
import { count, marked, percent, withInterval } from './figures.ts';
import { messages } from './messages.ts';
import { FiguresTable, Section } from './section.tsx';

const WIDTH = 110;

/** Rates of each group's levels with intervals, and the greatest differences. */
export function Subgroups({ groups, simulated }: { readonly groups: readonly SubgroupGap[]; readonly simulated: boolean }): ReactNode {
  const words = messages.groups;
  const gap = (figure: Figure | null): string => (figure === null ? words.few : marked(withInterval(figure, percent), simulated));
  return (
    <Section title={words.title} simulated={simulated}>
      <p className="small muted">{words.explained}</p>
      {groups.map(({ group, levels, parityGap, oddsGap }) => {
        const name = words.names[group] ?? group;
        return (
          <div key={group} className="stack-tight">
            <h3>{name}</h3>
            <dl className="facts wide"><dt>{words.parity}</dt><dd>{gap(parityGap)}</dd><dt>{words.odds}</dt><dd>{gap(oddsGap)}</dd></dl>
            <FiguresTable
              caption={marked(name, simulated)}
              head={[words.level, words.rows, words.decided, words.selected, words.recognised, words.wrong]}
              rows={levels.map((level) => [level.level === 'unknown' ? messages.unknown : level.level, count(level.rows), count(level.decided), ...[level.selectionRate, level.truePositiveRate, level.falsePositiveRate].map((rate, index) => <Rate key={index} rate={rate} />)])}
            />
          </div>
        );
      })}
    </Section>
  );
}

function Rate({ rate }: { readonly rate: Figure | null }): ReactNode {
  if (rate === null) return messages.unknown;
  return (
    <span className="row bar-cell">
      <svg viewBox={`0 0 ${WIDTH} 12`} width={WIDTH} height="12" aria-hidden="true">
        <rect className="bar-ground" width={WIDTH} height="12" rx="3" />
        <line className="whisker" x1={rate.low * WIDTH} x2={rate.high * WIDTH} y1="6" y2="6" />
        <circle className="dot" cx={4 + rate.value * (WIDTH - 8)} cy="6" r="4" />
      </svg>
      {withInterval(rate, percent)}
    </span>
  );
}
