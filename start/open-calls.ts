import type { Server, ServerResponse } from 'node:http';

/** The calls a server has at work. */
export interface OpenCalls {
  /** Takes no more connections and waits until every call is answered. What is not after `withinMs` is cut off; resolves with how many these were. */
  end(withinMs: number): Promise<number>;
}

const LOOK_MS = 20;

export function followCalls(http: Server): OpenCalls {
  const open = new Set<ServerResponse>();
  let ending = false;
  // A client that has its next call ready would keep the connection from ever being idle.
  const lastOne = (response: ServerResponse): void => {
    if (!response.headersSent) response.setHeader('Connection', 'close');
  };
  http.prependListener('request', (_request, response) => {
    open.add(response);
    response.once('close', () => open.delete(response));
    if (ending) lastOne(response);
  });
  return {
    async end(withinMs) {
      ending = true;
      open.forEach(lastOne);
      http.close();
      const until = performance.now() + withinMs;
      for (let quiet = 0; quiet < 2 && performance.now() < until; ) {
        http.closeIdleConnections();
        // Whoever reads events comes again.
        for (const response of open) if (isEventStream(response)) response.destroy();
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        quiet = open.size === 0 ? quiet + 1 : 0;
      }
      const cut = open.size;
      http.closeAllConnections();
      return cut;
    },
  };
}

function isEventStream(response: ServerResponse): boolean {
  return String(response.getHeader('content-type')).startsWith('text/event-stream');
}
