import type { ReactNode } from 'react';
import type { MonitoringPoint } from '#prior-auth/learning-api.ts';
import { showDate } from '../ui/fhir-date.ts';
import { count, decimal, marked, percent } from './figures.ts';
import { messages } from './messages.ts';
import { AsTable, Section } from './section.tsx';

const CHART = { width: 320, height: 96, left: 4, right: 316, top: 8, base: 84 } as const;

type Series = 'areaUnderRoc' | 'calibrationError' | 'denialRate' | 'greatestPsi' | 'scorePsi' | 'scores';

/** How the window's figures moved from day to day. */
export function History({ points, simulated }: { readonly points: readonly MonitoringPoint[]; readonly simulated: boolean }): ReactNode {
  const words = messages.history;
  const series: readonly (readonly [Series, string, (value: number) => string])[] = [
    ['areaUnderRoc', words.area, decimal], ['calibrationError', words.error, decimal], ['denialRate', words.denials, percent], ['greatestPsi', words.psi, decimal], ['scorePsi', words.scorePsi, decimal], ['scores', words.scores, count],
  ];
  return (
    <Section title={words.title} simulated={simulated}>
      {points.length === 0 ? <p className="muted">{words.none}</p> : (
        <>
          <p className="small muted">{words.explained}</p>
          <div className="small-charts">{series.map(([key, name, show]) => <Line key={key} points={points} of={key} name={marked(name, simulated)} show={show} />)}</div>
          <AsTable
            caption={marked(words.title, simulated)}
            head={[messages.date, messages.version, ...series.map(([, name]) => name)]}
            rows={points.map((point) => [showDate(point.at.slice(0, 10)), <code key="version">{point.version}</code>, ...series.map(([key, , show]) => { const value = point[key]; return value === null ? messages.unknown : show(value); })])}
          />
        </>
      )}
    </Section>
  );
}

interface LineProps {
  readonly points: readonly MonitoringPoint[];
  readonly of: Series;
  readonly name: string;
  readonly show: (value: number) => string;
}

function Line({ points, of, name, show }: LineProps): ReactNode {
  const known = points.flatMap((point) => { const value = point[of]; return value === null ? [] : [{ at: Date.parse(point.at), value, version: point.version }]; });
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) return null;
  const values = known.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const x = (at: number): number => (last.at === first.at ? CHART.width / 2 : CHART.left + ((at - first.at) / (last.at - first.at)) * (CHART.right - CHART.left));
  const y = (value: number): number => (most === least ? CHART.base / 2 : CHART.base - ((value - least) / (most - least)) * (CHART.base - CHART.top));
  return (
    <figure className="small-chart stack-tight">
      <figcaption className="small strong">{name}</figcaption>
      <p className="visually-hidden">{messages.history.chart(name, show(first.value), show(last.value), show(least), show(most))}</p>
      <svg className="chart" viewBox={`0 0 ${CHART.width} ${CHART.height}`} aria-hidden="true">
        <line className="grid" x1="0" x2={CHART.width} y1={CHART.base} y2={CHART.base} />
        {known.map(({ at, version }, index) => (index > 0 && known[index - 1]?.version !== version ? <line key={at} className="limit" x1={x(at)} x2={x(at)} y1="0" y2={CHART.base} /> : null))}
        <polyline className="line" points={known.map(({ at, value }) => `${x(at)},${y(value)}`).join(' ')} />
        <circle className="dot" cx={x(last.at)} cy={y(last.value)} r="4" />
      </svg>
      <p className="row-apart small muted"><span>{showDate(new Date(first.at).toISOString().slice(0, 10))}: {show(first.value)}</span><span>{showDate(new Date(last.at).toISOString().slice(0, 10))}: {show(last.value)}</span></p>
    </figure>
  );
}
