import type { Coverage, Encounter, Patient, Practitioner, PractitionerRole, QuestionnaireResponse, Resource, ResourceType } from '@medplum/fhirtypes';
import type { Order } from '#prior-auth/order/requested-service.ts';
import type { FormView, ReadProgress } from '#prior-auth/panel-api.ts';
import type { ComputedElements } from '#prior-auth/questionnaire/computed-elements.ts';
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
  search(type: ResourceType, parameters: Readonly<Record<string, string>> | URLSearchParams): Promise<readonly Resource[]>;
  /** Undefined when there is none, or it lies outside this EHR. */
  follow(reference: string | undefined): Promise<Resource | undefined>;
}

export interface PopulateInput {
  readonly package: QuestionnairePackage;
  readonly launch: LaunchResources;
  readonly ehr: EhrRecords;
  /** The response so far: %resource and %context of expressions. */
  readonly response?: QuestionnaireResponse | undefined;
  readonly onProgress?: ((progress: ReadProgress) => void) | undefined;
}

export type CqlMode = 'shipped-elm' | 'compiled-strict' | 'compiled-lenient';

export interface Population {
  /** By linkId, inside the rows of a repeating group by item path, for `prepopulate`. */
  readonly values: Readonly<Record<string, PopulatedValue>>;
  /** linkId of a repeating group -> how many rows its itemPopulationContext gave. */
  readonly rows: Readonly<Record<string, number>>;
  /** By linkId: elements of the item that the payer computes (cqf-expression). */
  readonly elements: Readonly<Record<string, ComputedElements>>;
  /** By linkId. */
  readonly offers: NonNullable<FormView['offers']>;
  /** For the expressions that run on the screen. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** In words for staff; never patient data. */
  readonly warnings: readonly string[];
  readonly cqlMode?: CqlMode;
  /** For the payer's $log-questionnaire-errors: which expression failed how. No values. */
  readonly failures: readonly PopulationFailure[];
}

export type PopulationFailureKind =
  | 'syntax' | 'runtime' | 'time-limit' | 'memory-limit' | 'value-set-missing' | 'library-missing' | 'language-unknown'
  /** Two variables of one element with one name, or variables that need each other. */
  | 'name-repeated' | 'circular'
  /** The EHR refused or failed, or took too long. */
  | 'data-unavailable' | 'data-slow'
  /** More queries or rows than are read. */
  | 'too-many';

export interface PopulationFailure {
  readonly linkId?: string;
  /** "Library|define", a FHIRPath place, or a FHIR type that could not be read. */
  readonly expression: string;
  readonly kind: PopulationFailureKind;
  readonly locator?: string;
}
