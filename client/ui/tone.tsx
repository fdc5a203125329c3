import type { ReactNode } from 'react';
import type { DecisionWords } from '#prior-auth/payer-decision/decision-words.ts';
import { Icon, type IconName } from './icon.tsx';

/** A decision's tone, or one of ours for what is no decision. Only `good` is green. */
export type Tone = DecisionWords['tone'] | 'info' | 'warn' | 'plain';

const ICONS: Readonly<Record<Tone, IconName>> = {
  good: 'check', mixed: 'half', bad: 'cross', waiting: 'clock', unknown: 'question', info: 'info', warn: 'alert', plain: 'dash',
};

export function Badge({ tone, icon, children }: { readonly tone: Tone; readonly icon?: IconName; readonly children: ReactNode }): ReactNode {
  return <span className="badge" data-tone={tone}><Icon name={icon ?? ICONS[tone]} /><span>{children}</span></span>;
}

interface NoticeProps {
  readonly tone: Tone;
  /** How a screen reader hears of it: at once, when it pauses, or on reading. */
  readonly live?: 'assertive' | 'polite';
  readonly children: ReactNode;
}

export function Notice({ tone, live, children }: NoticeProps): ReactNode {
  return <div className="notice" data-tone={tone} role={live === 'assertive' ? 'alert' : undefined} aria-live={live}><Icon name={ICONS[tone]} /><div className="stack-tight grow">{children}</div></div>;
}
