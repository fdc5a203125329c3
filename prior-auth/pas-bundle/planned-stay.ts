import type { Encounter } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import type { RequestedService } from '../order/requested-service.ts';
import type { ClaimEvent } from './write-claim.ts';

/** NUBC type of admission: emergency, urgent, elective. */
const ADMISSION_TYPES: { readonly [P in RequestedService['priority']]: string } = { stat: '1', asap: '2', urgent: '2', routine: '3' };
/** Hospital and psychiatric hospital; the other places of a stay are not acute. */
const ACUTE_PLACES: readonly string[] = ['21', '51'];
/** HL7 v3 ActEncounterCode. */
const CLASSES = { acute: 'ACUTE', other: 'NONAC' } as const;

/** profile-encounter, always planned: the stay that the request asks for. */
export function writePlannedStay(patient: string, { priority, place, events }: { readonly priority: RequestedService['priority']; readonly place: string; readonly events: readonly ClaimEvent[] }): Encounter {
  const day = (category: ClaimEvent['category']): string | undefined => {
    const timing = events.find((event) => event.category === category)?.timing;
    return timing && 'date' in timing ? timing.date : undefined;
  };
  const [start, end] = [day('admissionDates'), day('dischargeDates')];
  return {
    resourceType: 'Encounter',
    meta: { profile: [PAS_PROFILES.encounter] },
    status: 'planned',
    class: { system: CODE_SYSTEMS.actCode, code: CLASSES[ACUTE_PLACES.includes(place) ? 'acute' : 'other'] },
    type: [{ coding: [{ system: CODE_SYSTEMS.nubcAdmission, code: ADMISSION_TYPES[priority] }] }],
    subject: { reference: patient },
    ...(start ? { period: { start, ...(end ? { end } : {}) } } : {}),
  };
}
