import { PANEL_API, PANEL_SESSION_HEADER, type PanelMessage, type PanelReplies, type PanelRequest } from '#prior-auth/panel-api.ts';
import { callJson, type Reply } from '../ui/call-json.ts';

export type PanelCall = <M extends PanelMessage>(message: M, body: PanelRequest<M>) => Promise<Reply<PanelReplies[M]>>;

/** One typed call for every row of PANEL_API. `onExpired` hears of every 401, whatever was asked. */
export function openPanelCall(sessionId: string, onExpired: () => void): PanelCall {
  return async (message, body) => {
    const { method, path } = PANEL_API[message];
    const reply = await callJson<PanelReplies[typeof message]>({
      method,
      path: `/panel/api${path}${method === 'GET' ? query(body) : ''}`,
      headers: { [PANEL_SESSION_HEADER]: sessionId },
      ...(method === 'GET' ? {} : { body }),
    });
    if (reply.kind === 'failed' && reply.failure.status === 401) onExpired();
    return reply;
  };
}

function query(body: object): string {
  const parameters = new URLSearchParams(Object.entries(body).map(([name, value]) => [name, String(value)]));
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}
