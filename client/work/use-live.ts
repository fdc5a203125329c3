import { useEffect, useState } from 'react';

const POLL_MS = 10_000;
/** Also while changes are told: one that two processes made at once may go unsaid. */
const LIVE_POLL_MS = 60_000;

/** Calls `onChange` when the list may have changed: told by the server, else every ten seconds. A page that nobody sees asks for nothing and holds no connection. */
export function useLive(onChange: () => void): 'live' | 'polling' {
  const [live, setLive] = useState(false);
  const [seen, setSeen] = useState(document.visibilityState === 'visible');
  useEffect(() => {
    const look = (): void => setSeen(document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  useEffect(() => {
    if (!seen) return undefined;
    const events = new EventSource('/work/api/events');
    events.addEventListener('open', () => { setLive(true); onChange(); });
    events.addEventListener('changed', onChange);
    events.addEventListener('error', () => setLive(false));
    return () => {
      events.close();
      setLive(false);
    };
  }, [seen, onChange]);
  useEffect(() => {
    if (!seen) return undefined;
    const timer = setInterval(onChange, live ? LIVE_POLL_MS : POLL_MS);
    return () => clearInterval(timer);
  }, [seen, live, onChange]);
  return live ? 'live' : 'polling';
}
