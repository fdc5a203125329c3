import { useCallback, useEffect, useState, type Dispatch, type SetStateAction } from 'react';
import type { CaseView } from '#prior-auth/panel-api.ts';
import type { Failure } from '../ui/call-json.ts';
import type { PanelCall } from './panel-call.ts';

const QUEUED_MS = 2000;
const PENDED_MS = 5000;
/** The denial risk is worked out after the launch; a system without a model never brings one. */
const RISK_LOOKS_MS = [1000, 3000, 8000];

export interface FollowedCase {
  readonly view: CaseView;
  readonly setView: Dispatch<SetStateAction<CaseView>>;
  /** Epoch ms of the last successful look. */
  readonly lookedAt: number;
  readonly failure: Failure | undefined;
  readonly look: () => Promise<void>;
}

/** Follows a case that waits for others: every 2 s while it is being sent, every 5 s while the payer reviews, never behind a hidden page. */
export function useFollowedCase(call: PanelCall, first: CaseView): FollowedCase {
  const [view, setView] = useState(first);
  const [lookedAt, setLookedAt] = useState(() => Date.now());
  const [failure, setFailure] = useState<Failure>();

  const look = useCallback(async () => {
    const reply = await call('readCase', {});
    if (reply.kind === 'failed') return setFailure(reply.failure);
    setFailure(undefined);
    setLookedAt(Date.now());
    setView((before) => ((reply.value.case.id === before.case.id ? reply.value.case.version >= before.case.version : reply.value.case.id > before.case.id) ? reply.value : before));
  }, [call]);

  const { kind } = view.case.state;
  const everyMs = kind === 'queued' ? QUEUED_MS : kind === 'pended' ? PENDED_MS : 0;
  useEffect(() => {
    if (everyMs === 0) return;
    const timer = setInterval(() => { if (document.visibilityState === 'visible') void look(); }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, look]);

  const awaitsRisk = view.risk === null && (kind === 'questionnaire' || kind === 'ready');
  useEffect(() => {
    if (!awaitsRisk) return;
    const timers = RISK_LOOKS_MS.map((ms) => setTimeout(() => void look(), ms));
    return () => timers.forEach((timer) => clearTimeout(timer));
  }, [awaitsRisk, look]);
  return { view, setView, lookedAt, failure, look };
}
