/** Canonicals of PAS and of the subscriptions backport that only a payer declares or writes. */
const PAS = 'http://hl7.org/fhir/us/davinci-pas';
const BACKPORT = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';

export const PAS_OPERATION = { submit: `${PAS}/OperationDefinition/Claim-submit`, inquire: `${PAS}/OperationDefinition/Claim-inquiry` } as const;
export const CDEX_SUBMIT_ATTACHMENT = 'http://hl7.org/fhir/us/davinci-cdex/OperationDefinition/submit-attachment';
export const PAS_TOPIC = `${PAS}/SubscriptionTopic/PASSubscriptionTopic`;
export const PAS_SERVER_CAPABILITIES = `${PAS}/CapabilityStatement/IntermediaryCapabilities`;

export const BACKPORT_URL = {
  filterCriteria: `${BACKPORT}/backport-filter-criteria`,
  payloadContent: `${BACKPORT}/backport-payload-content`,
  heartbeatPeriod: `${BACKPORT}/backport-heartbeat-period`,
  notification: `${BACKPORT}/backport-subscription-notification-r4`,
  status: `${BACKPORT}/backport-subscription-status-r4`,
  topicCanonical: `${BACKPORT}/capabilitystatement-subscriptiontopic-canonical`,
} as const;

/** Which payer an insurer Organization is, among those that answer at this address. */
export const PAYER_ID_SYSTEM = 'https://openpriorauth.org/payer-id';

/** Review actions of X12 306 that this payer uses; public in the guide's own examples, none of which says "cancelled". */
export const REVIEW_ACTION = { approved: 'A1', denied: 'A3', pended: 'A4', modified: 'A6' } as const;

/** Extensions that only PAS 2.2.1 has. */
export const PAS_2_2_1_EXTENSION = {
  transmissionIdentifiers: `${PAS}/StructureDefinition/extension-TransmissionIdentifiers`,
  reviewer: `${PAS}/StructureDefinition/extension-claimResponseReviewer`,
} as const;
