import { useCallback, useEffect, useState } from 'react';

/** Which chart is open. Kept in the browser's history, so that Back works, but never in the address: addresses end up in logs. */
export function useOpenPatient(): readonly [string | undefined, (patientId: string | undefined) => void] {
  const [patientId, setPatientId] = useState(() => readState(window.history.state));
  useEffect(() => {
    const follow = (event: PopStateEvent): void => setPatientId(readState(event.state));
    window.addEventListener('popstate', follow);
    return () => window.removeEventListener('popstate', follow);
  }, []);
  const open = useCallback((next: string | undefined) => {
    window.history.pushState({ patientId: next }, '');
    setPatientId(next);
  }, []);
  return [patientId, open];
}

function readState(state: unknown): string | undefined {
  const id = typeof state === 'object' && state !== null && 'patientId' in state ? state.patientId : undefined;
  return typeof id === 'string' ? id : undefined;
}
