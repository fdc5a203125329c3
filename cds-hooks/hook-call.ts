import type { BundleEntry, Resource } from '@medplum/fhirtypes';
import { type Hook, HOOKS } from '#prior-auth/coverage-requirement/policy-response.ts';

export { HOOKS, type Hook };

/** CRD versions that can be answered in, "major.minor" as davinci-crd.version writes them. */
export const CRD_VERSIONS = ['2.0', '2.2'] as const;
export type CrdVersion = (typeof CRD_VERSIONS)[number];

/** CRD: a primary hook always carries coverage-information; a secondary one only where it helps, and it never asks for documents. */
export const PRIMARY_HOOKS: ReadonlySet<Hook> = new Set<Hook>(['order-sign', 'order-dispatch', 'appointment-book']);

/** A call of any hook, neutral of hook and CRD version. */
export interface HookCall {
  readonly hook: Hook;
  readonly version: CrdVersion;
  readonly hookInstance: string;
  readonly fhirServer: string | undefined;
  readonly accessToken: string | undefined;
  /** "Practitioner/…"; order-dispatch has none. */
  readonly userId: string | undefined;
  readonly patientId: string;
  readonly encounterId: string | undefined;
  /** Drafts that the call carries: order-sign, order-select. */
  readonly orders: readonly Resource[];
  /** Entries that came with the drafts, such as the drug that one of them names. */
  readonly beside: readonly BundleEntry[];
  /** Proposed appointments that the call carries: appointment-book. */
  readonly appointments: readonly Resource[];
  /** "Type/id" of what the call only names: orders dispatched, the encounter of encounter-start and encounter-discharge. */
  readonly named: readonly string[];
  /** "Type/id" of the drafts newly picked (order-select); in other hooks undefined. */
  readonly selections: readonly string[] | undefined;
  /** "Type/id" of who shall perform the dispatched orders. */
  readonly performer: string | undefined;
  /** Absent key: not satisfied. null: the query ran and found nothing. */
  readonly prefetch: Readonly<Record<string, Resource | null>>;
  readonly configuration: Readonly<Record<string, unknown>>;
}
