import type { ReactNode } from 'react';
import type { Clock } from '#prior-auth/payer-decision/deadlines.ts';
import { timeLeftWords } from '../messages.ts';
import { timeLeft } from './time-left.ts';
import { Badge, type Tone } from './tone.tsx';

/** Time to answer, in words: the payer's by law, or ours to what the payer asked for. */
export function ClockBadge({ clock, now }: { readonly clock: Pick<Clock, 'startedAt' | 'dueAt' | 'stoppedAt'>; readonly now: number }): ReactNode {
  const left = timeLeft(clock, now);
  const tone: Tone = left.kind === 'overdue' ? 'bad' : left.kind === 'left' && left.soon ? 'warn' : 'plain';
  return <Badge tone={tone} icon={left.kind === 'overdue' ? 'alert' : 'clock'}>{timeLeftWords(left)}</Badge>;
}
