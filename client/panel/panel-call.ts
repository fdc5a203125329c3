import { PANEL_API, PANEL_SESSION_HEADER, type PanelMessage, type PanelReplies, type PanelRequest } from '#prior-auth/panel-api.ts';
import { type LaunchableEhr, type LaunchChoices, PANEL_LAUNCH_API, PANEL_SECRET_HEADER, type PanelLaunch } from '#prior-auth/panel-launch-api.ts';
import { callJson, type Reply } from '../ui/call-json.ts';

export type PanelCall = <M extends PanelMessage>(message: M, body: PanelRequest<M>) => Promise<Reply<PanelReplies[M]>>;

/** Which session calls. `secret` proves it where no cookie does; it lives in this page's memory only. */
export interface PanelSessionProof {
  readonly sessionId: string;
  readonly secret?: string | undefined;
}

function headersOf({ sessionId, secret }: PanelSessionProof): Readonly<Record<string, string>> {
  return { [PANEL_SESSION_HEADER]: sessionId, ...(secret === undefined ? {} : { [PANEL_SECRET_HEADER]: secret }) };
}

/** One typed call for every row of PANEL_API. `onExpired` hears of every 401, whatever was asked. */
export function openPanelCall(proof: PanelSessionProof, onExpired: () => void): PanelCall {
  return async (message, body) => {
    const { method, path } = PANEL_API[message];
    const reply = await callJson<PanelReplies[typeof message]>({
      method,
      path: `/panel/api${path}${method === 'GET' ? query(body) : ''}`,
      headers: headersOf(proof),
      ...(method === 'GET' ? {} : { body }),
    });
    if (reply.kind === 'failed' && reply.failure.status === 401) onExpired();
    return reply;
  };
}

/** The case on paper, as the server made it; undefined when it did not come. */
export async function readPacketPdf(proof: PanelSessionProof): Promise<Blob | undefined> {
  try {
    const response = await fetch('/panel/api/packet.pdf', { credentials: 'same-origin', headers: headersOf(proof) });
    return response.ok ? await response.blob() : undefined;
  } catch {
    return undefined;
  }
}

/** What is asked before there is a case. */
export const launchCalls = {
  listEhrs: () => callJson<{ readonly ehrs: readonly LaunchableEhr[] }>(PANEL_LAUNCH_API.listEhrs),
  claim: (ticket: string) => callJson<{ readonly sessionId: string; readonly secret: string }>({ method: PANEL_LAUNCH_API.claim.method, path: PANEL_LAUNCH_API.claim.path, body: { ticket } }),
  readLaunch: (proof: PanelSessionProof) => callJson<PanelLaunch>({ ...PANEL_LAUNCH_API.readLaunch, headers: headersOf(proof) }),
  readChoices: (proof: PanelSessionProof) => callJson<LaunchChoices>({ ...PANEL_LAUNCH_API.readChoices, headers: headersOf(proof) }),
  choose: (proof: PanelSessionProof, reference: string) => callJson<unknown>({ method: PANEL_LAUNCH_API.choose.method, path: PANEL_LAUNCH_API.choose.path, headers: headersOf(proof), body: { reference } }),
};

function query(body: object): string {
  const parameters = new URLSearchParams(Object.entries(body).map(([name, value]) => [name, String(value)]));
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}
