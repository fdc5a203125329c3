import type { Coverage, Encounter, Patient, Practitioner, PractitionerRole, Resource, ResourceType } from '@medplum/fhirtypes';
import type { Order } from '#prior-auth/order/requested-service.ts';
import type { PopulatedValue } from '#prior-auth/questionnaire/prepopulate.ts';
import type { QuestionnairePackage } from './package.ts';

export interface LaunchResources {
  readonly patient: Patient;
  readonly order: Order;
  readonly coverage?: Coverage | undefined;
  readonly practitioner?: Practitioner | PractitionerRole | undefined;
  readonly encounter?: Encounter | undefined;
}

/** The EHR with the caller's rights; `EhrClient` is one. */
export interface EhrRecords {
  /** All pages; matches and included resources. */
  search(type: ResourceType, parameters: Readonly<Record<string, string>>): Promise<readonly Resource[]>;
  /** Undefined when there is none, or it lies outside this EHR. */
  follow(reference: string | undefined): Promise<Resource | undefined>;
}

export interface PopulateInput {
  readonly package: QuestionnairePackage;
  readonly launch: LaunchResources;
  readonly ehr: EhrRecords;
}

export type CqlMode = 'shipped-elm' | 'compiled-strict' | 'compiled-lenient';

export interface Population {
  /** By linkId, for `prepopulate`. */
  readonly values: Readonly<Record<string, PopulatedValue>>;
  /** In words for staff; never patient data. */
  readonly warnings: readonly string[];
  readonly cqlMode?: CqlMode;
  /** For the payer's $log-questionnaire-errors: which expression failed how. No values. */
  readonly failures: readonly PopulationFailure[];
}

export interface PopulationFailure {
  readonly linkId?: string;
  /** "Library|define", a FHIRPath place, or a FHIR type that could not be read. */
  readonly expression: string;
  readonly kind: 'syntax' | 'runtime' | 'time-limit' | 'value-set-missing' | 'library-missing' | 'data-unavailable' | 'language-unknown';
  readonly locator?: string;
}
