import { Button } from '@mantine/core';
import { useCallback, useState, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import type { Packet, PacketSection } from '#prior-auth/packet.ts';
import { Drawer } from '../../ui/drawer.tsx';
import { FailureNotice } from '../../ui/failure-notice.tsx';
import { showDate } from '../../ui/fhir-date.ts';
import { Loading } from '../../ui/loading.tsx';
import { useLoad } from '../../ui/use-load.ts';
import { messages } from '../messages.ts';
import { type PanelCall, type PanelSessionProof, readPacketPdf } from '../panel-call.ts';
import './packet.css';

/** The whole case to print, or as a PDF made by the server. While this is open, printing the page prints the packet alone, from a copy outside the dialog: a browser prints one page of a dialog. */
export default function PacketDialog({ call, proof, onClose }: { readonly call: PanelCall; readonly proof: PanelSessionProof; readonly onClose: () => void }): ReactNode {
  const words = messages.packet;
  const load = useCallback(() => call('readPacket', {}), [call]);
  const { value: packet, failure, reload } = useLoad(load);
  const [pdfFailed, setPdfFailed] = useState(false);
  const [making, setMaking] = useState(false);
  const save = async (): Promise<void> => {
    setMaking(true);
    const pdf = await readPacketPdf(proof);
    setMaking(false);
    setPdfFailed(pdf === undefined);
    if (pdf !== undefined) offerFile(pdf, `prior-authorization-${packet?.caseNumber ?? ''}.pdf`);
  };
  return (
    <Drawer title={words.title} onClose={onClose}>
      <p className="small">{words.intro}</p>
      {failure && <FailureNotice failure={failure} onRetry={reload} />}
      {pdfFailed && <FailureNotice failure={{ status: 0, code: 'NOT_REACHED', message: '' }} onRetry={() => void save()} />}
      {packet === undefined && failure === undefined && <Loading>{words.loading}</Loading>}
      {packet && (
        <>
          <div className="row">
            <Button size="xs" onClick={() => window.print()}>{words.print}</Button>
            <Button size="xs" variant="default" loading={making} onClick={() => void save()}>{words.pdf}</Button>
          </div>
          <PacketPage packet={packet} />
          {createPortal(<div className="packet-print"><PacketPage packet={packet} /></div>, document.body)}
        </>
      )}
    </Drawer>
  );
}

function offerFile(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** In the words of the packet itself, which go to the payer in English. */
function PacketPage({ packet }: { readonly packet: Packet }): ReactNode {
  return (
    <article className="packet" lang="en">
      <p className="packet-patient strong">{packet.patient}</p>
      <h2>{packet.title}</h2>
      <p className="small">{messages.packet.caseNumber} {packet.caseNumber} · {messages.packet.made(showDate(packet.madeAt))}</p>
      {packet.sections.map((section, index) => <Section key={index} section={section} />)}
    </article>
  );
}

function Section({ section }: { readonly section: PacketSection }): ReactNode {
  const words = messages.packet;
  return (
    <section className="stack-tight">
      <h3>{section.title}</h3>
      {section.kind === 'list'
        ? section.entries.length === 0 ? <p>{words.noEntries}</p> : <ul>{section.entries.map((entry, index) => <li key={index} className="wrapping">{entry}</li>)}</ul>
        : <dl className="packet-facts">{section.facts.map(({ label, value }, index) => <div key={index}><dt>{label}</dt><dd className="wrapping">{value}</dd></div>)}</dl>}
      {section.kind === 'form' && section.answers.length === 0 && <p>{words.noAnswers}</p>}
      {section.kind === 'form' && section.answers.map(({ question, depth, isGroup, values }, index) => (
        <div key={index} className="packet-answer" data-depth={Math.min(depth, 4)}>
          {isGroup ? <h4>{question}</h4> : <p className="muted">{question}</p>}
          {values.map(({ value, origin }, position) => <p key={position} className="wrapping"><span className="strong">{value}</span> <span className="small muted">[{origin}]</span></p>)}
        </div>
      ))}
    </section>
  );
}
