import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { ehr } from './ehr-api.ts';
import { messages } from './messages.ts';

interface OpenPanelButtonProps {
  readonly order: string;
  readonly display: string;
  readonly label?: string;
  readonly small?: boolean;
  readonly onLaunch: (launchUrl: string) => void;
}

/** A SMART EHR launch of the panel for one order. */
export function OpenPanelButton({ order, display, label = messages.signed.openPanel, small = false, onLaunch }: OpenPanelButtonProps): ReactNode {
  const [opening, setOpening] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const open = async (): Promise<void> => {
    setOpening(true);
    setFailure(undefined);
    const reply = await ehr.launch(order);
    setOpening(false);
    if (reply.kind === 'ok') onLaunch(reply.value.launchUrl);
    else setFailure(reply.failure);
  };
  return (
    <div className="stack-tight">
      <div><Button size={small ? 'xs' : 'sm'} variant={small ? 'default' : 'filled'} className="wrapping-button" loading={opening} onClick={() => void open()}>{label}<span className="visually-hidden">: {display}</span></Button></div>
      {failure && <FailureNotice failure={failure} />}
    </div>
  );
}
