import { useCallback, useEffect, useState, type ReactNode } from 'react';
import { ageWords } from '../messages.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { ageInYears, showDate } from '../ui/fhir-date.ts';
import { FocusHeading } from '../ui/focus-heading.tsx';
import { Loading } from '../ui/loading.tsx';
import { useLoad } from '../ui/use-load.ts';
import { useNow } from '../ui/use-now.ts';
import { ehr, type PatientRow } from './ehr-api.ts';
import { messages } from './messages.ts';

const TYPING_PAUSE_MS = 200;

export function PatientList({ onOpen }: { readonly onOpen: (patientId: string) => void }): ReactNode {
  const words = messages.patients;
  const [typed, setTyped] = useState('');
  const [asked, setAsked] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setAsked(typed.trim()), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const { value, failure, loading, reload } = useLoad(useCallback(() => ehr.patients(asked), [asked]));
  return (
    <section className="stack">
      <FocusHeading level={1}>{words.title}</FocusHeading>
      <div className="field">
        <label htmlFor="patient-search">{words.search}</label>
        <input id="patient-search" type="search" className="control patient-search" placeholder={words.hint} autoComplete="off" maxLength={100} value={typed} onChange={(event) => setTyped(event.target.value)} />
      </div>
      {failure && <FailureNotice failure={failure} onRetry={reload} />}
      {loading && value === undefined && <Loading>{messages.loading}</Loading>}
      {value && <output className="small muted">{value.patients.length === 0 ? (asked === '' ? words.empty : words.none) : words.count(value.patients.length)}</output>}
      <ul className="patient-list">
        {value?.patients.map((patient) => (
          <li key={patient.id}>
            <button type="button" className="patient-row card" onClick={() => onOpen(patient.id)}>
              <span className="strong">{patient.name}</span>
              <PatientFacts patient={patient} />
              <span className="small muted">{patient.coverage ?? words.noCoverage}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function PatientFacts({ patient }: { readonly patient: PatientRow }): ReactNode {
  const words = messages.patients;
  const now = useNow();
  const age = patient.birthDate === undefined ? undefined : ageInYears(patient.birthDate, now);
  return (
    <span className="small number patient-facts">
      {words.born} {patient.birthDate === undefined ? words.unknown : showDate(patient.birthDate)}{age !== undefined && ` (${ageWords(age)})`}
      {patient.gender && ` · ${patient.gender}`} · {words.mrn} {patient.mrn ?? words.unknown}
    </span>
  );
}
