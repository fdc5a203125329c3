import type { ReactNode } from 'react';
import type { MonitoringReport } from '#prior-auth/learning-api.ts';
import { showDate } from '../ui/fhir-date.ts';
import { count, decimal, marked, percent, withInterval } from './figures.ts';
import { messages } from './messages.ts';
import { Section } from './section.tsx';

/** The window's figures in words, each beside what it was at training. */
export function WindowFigures({ report }: { readonly report: MonitoringReport }): ReactNode {
  const words = messages.window;
  const { kind, version, simulated, window, reference, scores, decided, label, areaUnderRoc, areaAtTraining, calibrationError, latency, score } = report;
  const figure = (text: string): string => marked(text, simulated);
  const milliseconds = (value: number): string => decimal(value, 1);
  return (
    <Section title={words.title} simulated={simulated}>
      <p className="small muted">{words.of(window.days, showDate(window.from.slice(0, 10)), showDate(window.to.slice(0, 10)))}{version !== null && <>, {messages.version} <code>{version}</code></>}</p>
      {version === null ? <p>{words.noModel}</p> : kind !== 'denial-risk' ? <p>{words.notRecorded}</p> : scores === 0 && <p>{words.none}</p>}
      {scores > 0 && decided === 0 && <p>{words.noDecisions}</p>}
      {scores + decided > 0 && (
        <dl className="tiles">
          <Tile name={words.scores} value={figure(count(scores))} />
          <Tile name={words.decided} value={figure(count(decided))} />
          {label && <Tile name={words.denials} value={figure(withInterval(label.rate, percent))} then={figure(words.denialsThen(percent(label.referenceRate)))} />}
          {areaUnderRoc && <Tile name={words.area} value={figure(withInterval(areaUnderRoc))} then={areaAtTraining === null ? undefined : figure(words.areaThen(decimal(areaAtTraining)))} />}
          {calibrationError && <Tile name={words.error} value={figure(withInterval(calibrationError))} />}
          {score && <Tile name={words.scoreDrift} value={figure(decimal(score.psi))} />}
          {latency && <Tile name={words.latency} value={`${milliseconds(latency.p50Ms)}, ${milliseconds(latency.p95Ms)}, ${milliseconds(latency.p99Ms)} ms`} />}
        </dl>
      )}
      {version !== null && scores > 0 && <p className="small muted">{reference === null ? words.noReference : words.reference(count(reference.rows))}</p>}
    </Section>
  );
}

function Tile({ name, value, then }: { readonly name: string; readonly value: string; readonly then?: string | undefined }): ReactNode {
  return <div className="tile"><dt>{name}</dt><dd className="strong">{value}</dd>{then !== undefined && <dd className="small muted">{then}</dd>}</div>;
}
