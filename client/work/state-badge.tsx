import type { ReactNode } from 'react';
import type { CaseStateKind } from '#prior-auth/case.ts';
import { Badge, type Tone } from '../ui/tone.tsx';
import { stateWords } from '../messages.ts';

/** A state is no decision: never green, never red. */
const TONES: Readonly<Record<CaseStateKind, Tone>> = {
  'no-authorization-needed': 'plain', questionnaire: 'info', ready: 'info', queued: 'waiting', pended: 'waiting', decided: 'plain', refused: 'warn', held: 'warn', cancelled: 'plain', manual: 'info',
};

export function StateBadge({ state }: { readonly state: CaseStateKind }): ReactNode {
  return <Badge tone={TONES[state]}>{stateWords[state]}</Badge>;
}
