import type { PanelHandler, PanelParts } from './panel-parts.ts';

export function closeSession({ sessions }: PanelParts): PanelHandler<'closeSession'> {
  return async (_request, { session }) => {
    await sessions.close(session.id);
    return {};
  };
}
