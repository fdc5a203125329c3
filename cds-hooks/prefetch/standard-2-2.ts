import type { Hook } from '../hook-call.ts';

/*
 * CRD 2.2's standard prefetch: conventional keys, restricted FHIRPath in the tokens (CDS Hooks 3.0 ballot, trial use). A key may look only
 * at keys before it. The tokens follow the guide's CRDServices to the letter, save that order-dispatch has no encounter in its context.
 */

type Queries = Readonly<Record<string, string>>;

const ENCOUNTER = '%encounter.participant.individual';
const DRAFT = 'context.draftOrders.entry.resource';
const ofDrafts = ['sender', 'recipient', 'requester', 'performer', 'orderer', 'prescriber'].map((element) => `${DRAFT}.${element}`);
const performerAndRequester = (keys: readonly string[]): readonly string[] => keys.flatMap((key) => [`%${key}.entry.resource.performer`, `%${key}.entry.resource.requester`]);
const ACTORS = 'context.appointments.entry.resource.participant.actor';
const COMMUNICATION = '%communicationRequests.entry.resource';
const ofDispatched = [
  ...['sender', 'recipient', 'requester'].map((element) => `${COMMUNICATION}.${element}`),
  ...performerAndRequester(['deviceRequests', 'medicationRequests', 'serviceRequests']),
  '%nutritionOrders.entry.resource.orderer',
  '%visionPrescriptions.entry.resource.prescriber',
];

const organization = (path: string): string => `${path}.resolve().ofType(Organization).id`;
const any = (path: string): string => `${path}.resolve().id`;
const byId = (type: string, terms: readonly string[]): string => `${type}?_id={{${terms.join('|')}}}`;
const ROLES = '%practitionerRoles.entry.resource';
const ENCOUNTER_PLACES = [any('%encounter.location.location')];
const ENCOUNTER_PROVIDER = [organization('%encounter.serviceProvider')];

/** `people` may be roles or practitioners; the other two are whole terms. */
function participants(people: readonly string[], organizations: readonly string[], locations: readonly string[]): Queries {
  return {
    practitionerRoles: byId('PractitionerRole', people.map((path) => `${path}.resolve().ofType(PractitionerRole).id`)),
    practitioners: byId('Practitioner', [any(`${ROLES}.practitioner`), ...people.map((path) => `${path}.resolve().ofType(Practitioner).id`)]),
    organizations: byId('Organization', [any(`${ROLES}.organization`), ...organizations]),
    locations: byId('Location', [any(`${ROLES}.location`), ...locations]),
  };
}

const encounter = { encounter: 'Encounter/{{context.encounterId}}' };
const ALTERNATE = "basedOn.extension('http://hl7.org/fhir/StructureDefinition/alternate-reference').value";
const appointmentBasis = (type: string, path: string): string => byId(type, [`context.appointments.entry.resource.${path}.resolve().ofType(${type}).id`]);
const dispatched = (type: string): string => byId(type, [`context.dispatchedOrders.resolve().ofType(${type}).id`]);
const DEVICES_OF_REQUESTS = {
  devices: byId('Device', [any('%deviceRequests.entry.resource.code')]),
  medications: byId('Medication', [any('%medicationRequests.entry.resource.medication')]),
};

const DRAFTS: Queries = {
  ...encounter,
  devices: byId('Device', [any(`${DRAFT}.ofType(DeviceRequest).code`)]),
  medications: byId('Medication', [any(`${DRAFT}.ofType(MedicationRequest).medication`)]),
  ...participants(
    [ENCOUNTER, ...ofDrafts],
    [...ENCOUNTER_PROVIDER, any(`${DRAFT}.dispenseRequest.performer`), ...['sender', 'recipient', 'performer'].map((element) => organization(`${DRAFT}.${element}`))],
    [...ENCOUNTER_PLACES, any(`${DRAFT}.locationReference`)],
  ),
};
const ENCOUNTERS: Queries = { ...encounter, ...participants([ENCOUNTER], ENCOUNTER_PROVIDER, ENCOUNTER_PLACES) };

/** Besides patient and coverage. */
export const STANDARD_2_2: { readonly [H in Hook]: Queries } = {
  'order-sign': DRAFTS,
  'order-select': DRAFTS,
  'order-dispatch': {
    communicationRequests: dispatched('CommunicationRequest'),
    deviceRequests: dispatched('DeviceRequest'),
    medicationRequests: dispatched('MedicationRequest'),
    nutritionOrders: dispatched('NutritionOrder'),
    serviceRequests: dispatched('ServiceRequest'),
    visionPrescriptions: dispatched('VisionPrescription'),
    ...DEVICES_OF_REQUESTS,
    ...participants(
      ofDispatched,
      [organization(`${COMMUNICATION}.recipient`), organization(`${COMMUNICATION}.sender`), any('%medicationRequests.entry.resource.dispenseRequest.performer'), organization('%serviceRequests.entry.resource.performer')],
      [any('%serviceRequests.entry.resource.locationReference')],
    ),
  },
  'appointment-book': {
    ...encounter,
    deviceRequests: appointmentBasis('DeviceRequest', ALTERNATE),
    serviceRequests: appointmentBasis('ServiceRequest', 'basedOn'),
    medicationRequests: appointmentBasis('MedicationRequest', ALTERNATE),
    ...DEVICES_OF_REQUESTS,
    ...participants(
      [ENCOUNTER, ACTORS, ...performerAndRequester(['deviceRequests', 'medicationRequests', 'serviceRequests'])],
      [...ENCOUNTER_PROVIDER, organization('%medicationRequests.entry.resource.dispenseRequest.performer'), organization('%serviceRequests.entry.resource.performer')],
      [...ENCOUNTER_PLACES, `${ACTORS}.resolve().ofType(Location).id`, '%serviceRequests.entry.resource.locationReference.resolve().ofType(Location).id'],
    ),
  },
  'encounter-start': ENCOUNTERS,
  'encounter-discharge': ENCOUNTERS,
};
