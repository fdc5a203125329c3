import type { ReactNode } from 'react';
import type { CalibrationBin } from '#prior-auth/learning-api.ts';
import { count, marked, percent, withInterval } from './figures.ts';
import { messages } from './messages.ts';
import { AsTable, Section } from './section.tsx';

const SIZE = 300;
const LEFT = 44;
const BOTTOM = 34;
const x = (share: number): number => LEFT + share * (SIZE - LEFT - 10);
const y = (share: number): number => 10 + (1 - share) * (SIZE - BOTTOM - 10);

/** Reliability by tenths of the shown risk. */
export function Calibration({ bins, simulated }: { readonly bins: readonly CalibrationBin[]; readonly simulated: boolean }): ReactNode {
  const words = messages.calibration;
  const name = marked(words.chart, simulated);
  return (
    <Section title={words.title} simulated={simulated}>
      <p className="small muted">{words.explained}</p>
      <svg className="chart square" viewBox={`0 0 ${SIZE} ${SIZE}`} aria-hidden="true">
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <g key={share}>
            <line className="grid" x1={x(0)} x2={x(1)} y1={y(share)} y2={y(share)} />
            <text x={LEFT - 6} y={y(share) + 4} textAnchor="end">{percent(share)}</text>
            <text x={x(share)} y={SIZE - BOTTOM + 16} textAnchor={share === 1 ? 'end' : 'middle'}>{percent(share)}</text>
          </g>
        ))}
        <text x={x(0.5)} y={SIZE - 3} textAnchor="middle">{words.predicted}</text>
        <line className="ideal" x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} />
        <polyline className="line" points={bins.map(({ predicted, observed }) => `${x(predicted)},${y(observed.value)}`).join(' ')} />
        {bins.map(({ from, predicted, observed }) => (
          <g key={from}>
            <line className="whisker" x1={x(predicted)} x2={x(predicted)} y1={y(observed.low)} y2={y(observed.high)} />
            <circle className="dot" cx={x(predicted)} cy={y(observed.value)} r="4" />
          </g>
        ))}
      </svg>
      <AsTable
        caption={name}
        head={[words.range, words.predicted, words.observed, words.cases]}
        rows={bins.map(({ from, to, predicted, observed, count: cases }) => [`${percent(from)} – ${percent(to)}`, marked(percent(predicted), simulated), marked(withInterval(observed, percent), simulated), count(cases)])}
      />
    </Section>
  );
}
