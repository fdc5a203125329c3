/** What the panel's address says: which session, never its secret, so two charts in two tabs stay apart. */
export interface PanelAddress {
  readonly sessionId: string | undefined;
  /** Where the browser keeps no cookie in this frame: a word, good once, that is exchanged for the session's secret. */
  readonly ticket: string | undefined;
}

/** Reads the address once, and takes the ticket out of it at the same time: it is in no history and no bookmark. */
export function takeAddress(): PanelAddress {
  const { search, hash, pathname } = window.location;
  const parameters = new URLSearchParams(search);
  const ticket = new URLSearchParams(hash.slice(1)).get('t') || undefined;
  if (ticket !== undefined) window.history.replaceState(null, '', `${pathname}${search}`);
  return { sessionId: parameters.get('s') || undefined, ticket };
}
