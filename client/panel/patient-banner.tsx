import type { ReactNode } from 'react';
import type { CasePatient } from '#prior-auth/case.ts';
import { ageWords } from '../messages.ts';
import { ageInYears, showDate } from '../ui/fhir-date.ts';
import { useNow } from '../ui/use-now.ts';
import { messages } from './messages.ts';

/** Whose case this is, when the EHR does not show it beside the panel (SMART need_patient_banner). */
export function PatientBanner({ patient }: { readonly patient: CasePatient }): ReactNode {
  const words = messages.banner;
  const genders: Readonly<Record<string, string>> = words.genders;
  const now = useNow();
  const age = patient.birthDate === undefined ? undefined : ageInYears(patient.birthDate, now);
  return (
    <section className="patient-banner" aria-label={words.label}>
      <p className="strong">{patient.name}</p>
      <p className="small number">
        {patient.birthDate === undefined ? words.unknownBirth : `${words.born} ${showDate(patient.birthDate)}`}
        {age !== undefined && ` (${ageWords(age)})`}
        {patient.gender !== undefined && ` · ${genders[patient.gender] ?? patient.gender}`}
        {' · '}{words.mrn} {patient.medicalRecordNumber ?? words.unknownMrn}
      </p>
    </section>
  );
}
