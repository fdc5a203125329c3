import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { DENIAL_RISK_FEATURES } from '#prior-auth/learning/features.ts';
import type { DriftBin, FeatureDrift } from '#prior-auth/learning-api.ts';
import { Badge } from '../ui/tone.tsx';
import { decimal, marked, percent } from './figures.ts';
import { messages } from './messages.ts';
import { AsTable, FiguresTable, Section } from './section.tsx';

const STRONGEST = 8;
const WIDTH = 120;
/** A PSI that fills the bar. */
const FULL = 0.5;

interface InputDriftProps {
  readonly features: readonly FeatureDrift[];
  readonly limit: number | undefined;
  readonly simulated: boolean;
}

/** Each feature against the rows that the model was tested on, the most changed first. */
export function InputDrift({ features, limit = Infinity, simulated }: InputDriftProps): ReactNode {
  const words = messages.drift;
  const [all, setAll] = useState(false);
  const sorted = [...features].sort((a, b) => Number(b.judged) - Number(a.judged) || b.psi - a.psi);
  const shown = all ? sorted : sorted.slice(0, STRONGEST);
  return (
    <Section title={words.title} simulated={simulated}>
      <p className="small muted">{words.explained}</p>
      <FiguresTable
        caption={marked(words.title, simulated)}
        head={[words.feature, marked(words.psi, simulated), words.js, words.ks, words.unknownShare, words.unknownThen]}
        rows={shown.map(({ feature, judged, psi, jensenShannon, ks, unknownShare, referenceUnknownShare }) => [
          nameOf(feature),
          <span key="psi" className="row bar-cell">
            <svg viewBox={`0 0 ${WIDTH} 12`} width={WIDTH} height="12" aria-hidden="true">
              <rect className="bar-ground" width={WIDTH} height="12" rx="3" />
              <rect className={judged && psi > limit ? 'bar over' : 'bar'} width={Math.min(1, psi / FULL) * WIDTH} height="12" rx="3" />
              {judged && limit < FULL && <line className="limit" x1={(limit / FULL) * WIDTH} x2={(limit / FULL) * WIDTH} y1="0" y2="12" />}
            </svg>
            {decimal(psi)}{judged ? psi > limit && <Badge tone="warn">{words.over}</Badge> : <span className="muted">{words.notJudged}</span>}
          </span>,
          decimal(jensenShannon), decimal(ks), percent(unknownShare), percent(referenceUnknownShare),
        ])}
      />
      {features.length > STRONGEST && <div><Button size="xs" variant="default" onClick={() => setAll(!all)}>{all ? words.few : words.all(features.length)}</Button></div>}
      <h3>{words.distribution}</h3>
      <div className="small-charts">{shown.slice(0, STRONGEST).map((feature) => <Distribution key={feature.feature} drift={feature} simulated={simulated} />)}</div>
    </Section>
  );
}

const CHART = { width: 260, height: 90, base: 78 } as const;

function Distribution({ drift: { feature, bins }, simulated }: { readonly drift: FeatureDrift; readonly simulated: boolean }): ReactNode {
  const words = messages.drift;
  const name = nameOf(feature);
  const most = Math.max(0.01, ...bins.flatMap(({ reference, current }) => [reference, current]));
  const slot = CHART.width / bins.length;
  const height = (share: number): number => (share / most) * (CHART.base - 4);
  return (
    <figure className="small-chart stack-tight">
      <figcaption className="small strong">{marked(name, simulated)}</figcaption>
      <svg className="chart" viewBox={`0 0 ${CHART.width} ${CHART.height}`} aria-hidden="true">
        {bins.map(({ reference, current }, bin) => (
          <g key={bin}>
            <rect className="then" x={bin * slot + 2} y={CHART.base - height(reference)} width={slot / 2 - 2} height={height(reference)} />
            <rect className="bar" x={bin * slot + slot / 2} y={CHART.base - height(current)} width={slot / 2 - 2} height={height(current)} />
          </g>
        ))}
        <line className="grid" x1="0" x2={CHART.width} y1={CHART.base} y2={CHART.base} />
      </svg>
      <p className="row small muted legend"><span className="key then-key" aria-hidden="true" />{words.before}<span className="key now-key" aria-hidden="true" />{words.now}</p>
      <AsTable caption={marked(name, simulated)} head={[words.bin, words.before, words.now]} rows={bins.map((bin) => [rangeOf(bin), percent(bin.reference), percent(bin.current)])} />
    </figure>
  );
}

function rangeOf({ from, to }: DriftBin): string {
  const words = messages.drift;
  const value = (edge: number): string => decimal(edge, Number.isInteger(edge) ? 0 : 2);
  if (from === null) return to === null ? words.any : words.upTo(value(to));
  return to === null ? words.above(value(from)) : words.between(value(from), value(to));
}

function nameOf(feature: string): string {
  const known = DENIAL_RISK_FEATURES.find((name) => name === feature);
  return known === undefined ? feature : messages.features[known];
}
