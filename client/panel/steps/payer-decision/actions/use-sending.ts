import { useState } from 'react';
import type { CaseView } from '#prior-auth/panel-api.ts';
import type { Failure, Reply } from '../../../../ui/call-json.ts';

interface Sending {
  readonly busy: boolean;
  readonly failure: Failure | undefined;
  readonly send: (ask: () => Promise<Reply<CaseView>>) => Promise<void>;
}

/** One sending of a drawer: what was entered stays when it fails. */
export function useSending(onTaken: (view: CaseView) => void): Sending {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const send: Sending['send'] = async (ask) => {
    setBusy(true);
    setFailure(undefined);
    const reply = await ask();
    setBusy(false);
    if (reply.kind === 'ok') onTaken(reply.value);
    else setFailure(reply.failure);
  };
  return { busy, failure, send };
}

/** What a local date and time field holds, as an instant; undefined when it is empty or none. */
export function instantOf(local: string): string | undefined {
  const at = new Date(local);
  return local === '' || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
