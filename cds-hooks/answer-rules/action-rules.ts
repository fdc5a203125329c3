import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { type AnswerFault, faultsOf, isLoose, isText, type Loose, looseList, type Rule } from './fault.ts';
import type { CrdVersion } from '../hook-call.ts';

/* Actions of suggestions and system actions, CDS Hooks 2.0 §2.4, and which of them make up a CRD response type. */

export const REQUEST_TYPES: ReadonlySet<string> = new Set(['ServiceRequest', 'DeviceRequest', 'MedicationRequest', 'NutritionOrder', 'VisionPrescription', 'CommunicationRequest']);
/** What a proposed request may need beside it. */
const SUPPORTING_TYPES: ReadonlySet<string> = new Set(['Medication', 'Device']);
const IF_NONE_EXIST = 'davinci-crd.if-none-exist';

const typeOf = ({ resource }: Loose): string => (isLoose(resource) ? String(resource['resourceType']) : '');

/** "Type/id" that an update or delete is about. */
export function targetOf(action: Loose): string | undefined {
  if (action['type'] === 'delete') return isText(action['resourceId']) ? action['resourceId'] : undefined;
  return isLoose(action['resource']) && isText(action['resource']['id']) ? `${typeOf(action)}/${action['resource']['id']}` : undefined;
}

const ACTION_RULES: readonly Rule<Loose>[] = [
  { id: 'action-type', says: 'an action is a create, update or delete', broken: ({ type }) => !['create', 'update', 'delete'].includes(String(type)) },
  { id: 'action-description', says: 'an action has a description', broken: ({ description }) => !isText(description) },
  { id: 'action-resource', says: 'a create or update has the resource', broken: (action) => (action['type'] === 'create' || action['type'] === 'update') && !isText(isLoose(action['resource']) ? action['resource']['resourceType'] : undefined) },
  { id: 'action-target', says: 'an update has the id of its resource; a delete has resourceId "Type/id"', broken: (action) => (action['type'] === 'update' || action['type'] === 'delete') && !/^[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.test(targetOf(action) ?? '') },
  { id: 'action-either', says: 'a delete has no resource, a create or update no resourceId', broken: ({ type, resource, resourceId }) => (type === 'delete' ? resource !== undefined : resourceId !== undefined) },
  { id: 'if-none-exist', says: 'if-none-exist is a query, on a create', broken: ({ type, extension }) => isLoose(extension) && IF_NONE_EXIST in extension && (type !== 'create' || !isText(extension[IF_NONE_EXIST])) },
  { id: 'nothing-empty', says: 'no element is null or empty', broken: ({ type, resource }) => type === 'create' && hasEmpty(resource) },
];

export function actionFaults(action: unknown, version: CrdVersion): readonly AnswerFault[] {
  return faultsOf(ACTION_RULES, isLoose(action) ? action : {}, version);
}

export type ResponseShape = 'propose-alternate' | 'additional-orders' | 'form-completion' | 'update-coverage';

/** Which response type the actions are, together; undefined when they are none, or a mixture. */
export function shapeOf(actions: readonly Loose[], version: CrdVersion): ResponseShape | undefined {
  const [first] = actions;
  if (!first) return undefined;
  const types = actions.map(typeOf);
  const allCreate = actions.every(({ type }) => type === 'create');
  if (types.every((type) => type === 'Coverage')) return actions.length === 1 && (first['type'] === 'update' || (first['type'] === 'create' && version === '2.0')) ? 'update-coverage' : undefined;
  if (allCreate && types.includes('Task') && types.every((type) => type === 'Task' || type === 'Questionnaire')) return actions.every(isForm) ? 'form-completion' : undefined;
  if (allCreate) return types.some((type) => REQUEST_TYPES.has(type)) && types.every((type) => REQUEST_TYPES.has(type) || SUPPORTING_TYPES.has(type)) ? 'additional-orders' : undefined;
  return isAlternate(actions, version) ? 'propose-alternate' : undefined;
}

/** One update of a draft, or its delete with a create of the same type; 2.0.1 also lets in what the new request refers to. */
function isAlternate(actions: readonly Loose[], version: CrdVersion): boolean {
  const supporting = actions.filter((action) => action['type'] === 'create' && SUPPORTING_TYPES.has(typeOf(action)));
  const main = actions.filter((action) => !supporting.includes(action));
  if (supporting.length > 0 && version !== '2.0') return false;
  const [update] = main;
  if (main.length === 1 && update?.['type'] === 'update') return REQUEST_TYPES.has(typeOf(update));
  const removed = main.find(({ type }) => type === 'delete');
  const created = main.find(({ type }) => type === 'create');
  return main.length === 2 && removed !== undefined && created !== undefined && REQUEST_TYPES.has(typeOf(created)) && targetOf(removed)?.split('/')[0] === typeOf(created);
}

/** A Task that asks for a questionnaire, or the Questionnaire itself where the client does not have it. */
function isForm(action: Loose): boolean {
  const { resource, extension } = action;
  if (!isLoose(resource)) return false;
  if (resource['resourceType'] === 'Questionnaire') return isText(resource['url']) && isLoose(extension) && isText(extension[IF_NONE_EXIST]);
  const code = isLoose(resource['code']) ? looseList(resource['code']['coding']).some((coding) => coding['code'] === 'complete-questionnaire') : false;
  return code && looseList(resource['input']).some((input) => isLoose(input['type']) && input['type']['text'] === 'questionnaire' && isText(input['valueCanonical']));
}

export function carriesCoverageInformation(action: Loose): boolean {
  return isLoose(action['resource']) && looseList(action['resource']['extension']).some(({ url }) => url === CRD_URLS.coverageInformation);
}

/** null, '', [] and {} mean nothing in FHIR and in CDS Hooks: such an element is left out. */
export function hasEmpty(value: unknown): boolean {
  if (value === null || value === '') return true;
  if (Array.isArray(value)) return value.length === 0 || value.some(hasEmpty);
  if (typeof value !== 'object') return false;
  let members = 0;
  for (const each of Object.values(value)) {
    if (each === undefined) continue;
    if (hasEmpty(each)) return true;
    members += 1;
  }
  return members === 0;
}
