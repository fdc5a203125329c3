import { Button } from '@mantine/core';
import { useCallback, useEffect, useState, type ReactNode } from 'react';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { showDate } from '../ui/fhir-date.ts';
import { FocusHeading } from '../ui/focus-heading.tsx';
import { Icon } from '../ui/icon.tsx';
import { Loading } from '../ui/loading.tsx';
import { useReturningFocus } from '../ui/returning-focus.ts';
import { Badge } from '../ui/tone.tsx';
import { useLoad } from '../ui/use-load.ts';
import { CardView } from './card-view.tsx';
import { ehr, type Chart, type ChartEntry, type OrderEntry, type Signed } from './ehr-api.ts';
import { coverageWords, entryLine, messages, nothingNeeded, orderStatusWords } from './messages.ts';
import { OpenPanelButton } from './open-panel-button.tsx';
import { OrderForm } from './order-form.tsx';
import { PatientFacts } from './patient-list.tsx';
import { SignedOrder } from './signed-order.tsx';

interface ChartScreenProps {
  readonly patientId: string;
  readonly onBack: () => void;
  readonly onLaunch: (launchUrl: string) => void;
  readonly onSessionEnded: () => void;
}

export function ChartScreen({ patientId, onBack, onLaunch, onSessionEnded }: ChartScreenProps): ReactNode {
  const { value: chart, failure, loading, reload } = useLoad(useCallback(() => ehr.chart(patientId), [patientId]));
  const [signed, setSigned] = useState<Signed>();
  const [unsigned, setUnsigned] = useState<Failure>();
  const [turn, setTurn] = useState(0);
  const ended = failure?.status === 401;
  useEffect(() => { if (ended) onSessionEnded(); }, [ended, onSessionEnded]);
  const took = (result: Signed | undefined, why?: Failure): void => {
    setSigned(result);
    setUnsigned(why);
    setTurn((before) => before + 1);
    reload();
  };
  return (
    <>
      <div><Button size="xs" variant="default" leftSection={<Icon name="back" />} onClick={onBack}>{messages.chart.back}</Button></div>
      {failure && !ended && <FailureNotice failure={failure} onRetry={reload} />}
      {loading && chart === undefined && <Loading>{messages.chart.loading}</Loading>}
      {chart && (
        <>
          <header className="stack-tight"><FocusHeading level={1}>{chart.patient.name}</FocusHeading><PatientFacts patient={chart.patient} /></header>
          <div className="chart">
            <div className="stack">
              {signed && <SignedOrder key={turn} signed={asCharted(signed, chart)} title={chart.orders.find((order) => order.reference === signed.order)?.display ?? signed.order} patientId={patientId} onLaunch={onLaunch} onAccepted={reload} />}
              <OrderForm patientId={patientId} conditions={chart.conditions} onSigned={took} onDrafted={() => took(undefined)} unsigned={unsigned} onUnsigned={(why) => took(undefined, why)} onLaunch={onLaunch} />
              <Orders patientId={patientId} orders={chart.orders} onSigned={took} onLaunch={onLaunch} onAccepted={reload} />
            </div>
            <div className="chart-sections"><Sections chart={chart} /></div>
          </div>
        </>
      )}
    </>
  );
}

/** Cards as the chart has them since: a suggestion may have been taken from the list of orders. */
function asCharted(signed: Signed, { orders }: Chart): Signed {
  const charted = orders.find(({ reference }) => reference === signed.order)?.cards ?? [];
  return { ...signed, cards: signed.cards.map((card) => charted.find(({ uuid }) => uuid !== undefined && uuid === card.uuid) ?? card) };
}

function Sections({ chart }: { readonly chart: Chart }): ReactNode {
  const titles = messages.chart.sections;
  return (Object.keys(titles) as (keyof typeof titles)[]).map((name) => (
    <section key={name} className="card stack-tight" aria-labelledby={`chart-${name}`}>
      <h2 id={`chart-${name}`}>{titles[name]} <span className="muted small number">{chart[name].length || ''}</span></h2>
      {chart[name].length === 0 ? <p className="muted small">{messages.chart.empty}</p> : <ul className="entries">{chart[name].map((entry) => <Entry key={entry.reference} entry={entry} />)}</ul>}
    </section>
  ));
}

function Entry({ entry }: { readonly entry: ChartEntry }): ReactNode {
  const { date, detail } = entryLine(entry);
  return (
    <li className="entry">
      <div className="row-apart"><span className="grow">{entry.display}</span><span className="small muted number">{date === '' ? messages.chart.undated : showDate(date)}</span></div>
      {detail !== '' && <p className="small muted unhurried">{detail}</p>}
    </li>
  );
}

interface OrdersProps {
  readonly patientId: string;
  readonly orders: readonly OrderEntry[];
  readonly onSigned: (signed: Signed) => void;
  readonly onLaunch: (launchUrl: string) => void;
  readonly onAccepted: () => void;
}

function Orders({ patientId, orders, onSigned, onLaunch, onAccepted }: OrdersProps): ReactNode {
  const [signing, setSigning] = useState<string>();
  const [failure, setFailure] = useState<Failure>();
  const pressed = useReturningFocus(signing !== undefined);
  const sign = async (order: string): Promise<void> => {
    pressed();
    setSigning(order);
    setFailure(undefined);
    const reply = await ehr.sign(order);
    setSigning(undefined);
    if (reply.kind === 'ok') onSigned(reply.value);
    else setFailure(reply.failure);
  };
  return (
    <section className="card stack" aria-labelledby="chart-orders">
      <h2 id="chart-orders" tabIndex={-1}>{messages.chart.orders} <span className="muted small number">{orders.length || ''}</span></h2>
      {failure && <FailureNotice failure={failure} />}
      {orders.length === 0 && <p className="muted small">{messages.chart.noOrders}</p>}
      <ul className="entries">
        {orders.map((order) => (
          <li key={order.reference} className="entry stack-tight">
            <div className="row-apart">
              <span className="grow">{order.display}</span>
              <Badge tone={order.status === 'draft' ? 'waiting' : 'plain'} icon={order.status === 'draft' ? 'pencil' : 'check'}>{orderStatusWords[order.status] ?? order.status}</Badge>
            </div>
            {order.coverageInformation?.map((information, index) => <p key={information.assertionId ?? index} className="small">{coverageWords(information)[0]}.</p>)}
            <p className="small muted number">{order.date ? showDate(order.date) : messages.chart.undated}{order.detail ? ` · ${order.detail}` : ''}</p>
            <div className="row">
              {!isAnswered(order)
                ? <Button size="xs" variant={order.status === 'draft' ? 'filled' : 'default'} loading={signing === order.reference} onClick={() => void sign(order.reference)}>{order.status === 'draft' ? messages.chart.sign : messages.chart.askPayer}<span className="visually-hidden">: {order.display}</span></Button>
                : !isQuiet(order) && <OpenPanelButton order={order.reference} display={order.display} small onLaunch={onLaunch} />}
            </div>
            {order.cards !== undefined && order.cards.length > 0 && (
              <details>
                <summary className="small">{messages.chart.showAnswer}</summary>
                <div className="stack details-body">{order.cards.map((card, index) => <CardView key={card.uuid ?? index} card={card} order={order.reference} patientId={patientId} onLaunch={onLaunch} onAccepted={onAccepted} />)}</div>
              </details>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Nothing can be authorized before the payer has said whether it must be. */
function isAnswered({ status, coverageInformation }: OrderEntry): boolean {
  return status !== 'draft' && coverageInformation !== undefined && coverageInformation.length > 0;
}

function isQuiet({ coverageInformation }: OrderEntry): boolean {
  return coverageInformation?.every(nothingNeeded) ?? false;
}
