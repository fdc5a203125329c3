import type { CodeableConcept, PractitionerRole } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { EhrClient } from './ehr-client.ts';

/** No screen waits longer for what it can do without. */
const PATIENCE_MS = 500;

/** The user's NUCC taxonomy code, for the author of an answer (DTR information-origin); undefined when the EHR does not say, or not soon. */
export async function readUserRole(ehr: EhrClient, reference: string): Promise<string | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => { timer = setTimeout(() => resolve(undefined), PATIENCE_MS); });
  return Promise.race([readRole(ehr, reference), late]).finally(() => clearTimeout(timer));
}

async function readRole(ehr: EhrClient, reference: string): Promise<string | undefined> {
  try {
    const roles = await rolesOf(ehr, reference);
    const codings = roles.filter(({ active }) => active !== false).flatMap(({ code = [], specialty = [] }): CodeableConcept[] => [...code, ...specialty]).flatMap(({ coding = [] }) => coding);
    return codings.find(({ system, code }) => system === CODE_SYSTEMS.nuccTaxonomy && code)?.code;
  } catch (error) {
    // An EHR need not let every app read its users' roles; the answer then has its author without one.
    if (error instanceof PriorAuthError) return undefined;
    throw error;
  }
}

async function rolesOf(ehr: EhrClient, reference: string): Promise<readonly PractitionerRole[]> {
  const [type] = reference.split('/');
  const found = type === 'PractitionerRole' ? [await ehr.follow(reference)] : type === 'Practitioner' ? await ehr.search('PractitionerRole', { practitioner: reference }) : [];
  return found.filter((one): one is PractitionerRole => one?.resourceType === 'PractitionerRole');
}
