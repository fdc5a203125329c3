import type { Bundle } from '@medplum/fhirtypes';
import { extensionByUrl } from '#fhir/base/extension.ts';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import type { SubmissionPreview } from '../panel-api.ts';

/** What an X12 278 has room for (PAS): a payer behind a clearinghouse sees no more. */
const MOST_DIAGNOSES = 12;
const MOST_OVERALL_MEMBERS = 14;
const MOST_ITEM_MEMBERS = 10;

interface StayedBehind {
  /** Reasons of the order without an ICD-10-CM code. */
  readonly unmapped: readonly string[];
  /** Providers and places that the record does not describe well enough. */
  readonly notSent: readonly string[];
}

/** What a person should know before it leaves, and that stops nothing. */
export function warningsOf({ entry }: Bundle, { unmapped, notSent }: StayedBehind): NonNullable<SubmissionPreview['warnings']> {
  const claim = entry?.[0]?.resource;
  if (claim?.resourceType !== 'Claim') return [];
  const overall = (claim.careTeam ?? []).filter((member) => extensionByUrl(member, PAS_EXTENSIONS.careTeamClaimScope)?.valueBoolean === true).length;
  const ofItems = Math.max(0, ...(claim.item ?? []).map(({ careTeamSequence = [] }) => careTeamSequence.length));
  const diagnoses = claim.diagnosis?.length ?? 0;
  const many = (code: string, count: number, most: number, what: string) => (count > most ? [{ code, message: `The request names ${count} ${what}. A payer that works with X12 sees the first ${most} only.` }] : []);
  return [
    ...many('DIAGNOSES_OVER_LIMIT', diagnoses, MOST_DIAGNOSES, 'diagnoses'),
    ...many('CARE_TEAM_OVER_LIMIT', overall, MOST_OVERALL_MEMBERS, 'providers of the whole request'),
    ...many('CARE_TEAM_OVER_LIMIT', ofItems, MOST_ITEM_MEMBERS, 'providers of one item'),
    ...[...new Set(unmapped)].map((display) => ({ code: 'DIAGNOSIS_NOT_SENT', message: `The reason “${display}” has no ICD-10-CM code and is not sent as a diagnosis.` })),
    ...notSent.map((name) => ({ code: 'PROVIDER_NOT_SENT', message: `${name} is named in the order and is not sent: the record lacks a national number, a name, an address or a way to reach them.` })),
  ];
}
