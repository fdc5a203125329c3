import { ActionIcon } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';
import { Icon } from '../ui/icon.tsx';
import { messages } from './messages.ts';

/** The SMART app beside the chart; on a phone it covers the chart. */
export function PanelFrame({ launchUrl, onClose }: { readonly launchUrl: string; readonly onClose: () => void }): ReactNode {
  const words = messages.panel;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    heading.current?.focus();
    return () => { if (before instanceof HTMLElement && before.isConnected) before.focus(); };
  }, []);
  return (
    <aside className="panel-frame" aria-label={words.region}>
      <div className="row-apart panel-frame-head">
        <h2 ref={heading} tabIndex={-1}>{words.title}</h2>
        <ActionIcon variant="default" size="lg" aria-label={words.close} title={words.close} onClick={onClose}><Icon name="cross" /></ActionIcon>
      </div>
      {/* oxlint-disable-next-line react/iframe-missing-sandbox -- a SMART app needs scripts and its own origin; the sandbox still keeps it from leading the whole page away */}
      <iframe src={launchUrl} title={words.title} sandbox="allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox" />
    </aside>
  );
}
