import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import type { ColumnType, RawBuilder } from 'kysely';
import type { CaseStateKind, PriorAuthCase } from '#prior-auth/case.ts';
import type { EvidenceReference } from '#prior-auth/coverage-requirement/requirement.ts';
import type { DenialRisk, DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import type { Attestation, FormView, HandOver, PopulationView, Unsettled } from '#prior-auth/panel-api.ts';
import type { Clock } from '#prior-auth/payer-decision/deadlines.ts';
import type { NewNote, WhoMustAct, WorklistQuery } from '#prior-auth/worklist-api.ts';

/** Our form as the EHR keeps it. */
export interface EhrCopy {
  /** meta.versionId as last read or written; null when the EHR keeps no versions. */
  readonly version: string | null;
  /** The answers in it then: what changes on both sides are measured against. */
  readonly response: QuestionnaireResponse;
  /** Version of our form that is in it. */
  readonly formVersion: number;
}

/** Written as JSON text, read as the value. */
type Json<T> = ColumnType<T, string, string>;
type MayBe<T> = ColumnType<T | null, string | null | undefined, string | null>;
type Instant = ColumnType<Date, string, string>;

/** `response`: the form as the record filled it in, for "clear my change" and for the next reading. */
export interface PopulatedForm {
  readonly response: QuestionnaireResponse;
  readonly offers: NonNullable<FormView['offers']>;
  readonly variables: NonNullable<FormView['variables']>;
}

export type CaseTables = {
  'cases.prior_auth_case': {
    id: string;
    version: number;
    ehr_base: string;
    order_reference: string;
    /** 1, and one more for each time that the order is asked for again. */
    attempt: ColumnType<number, number | undefined, never>;
    patient_id: string;
    state: CaseStateKind;
    payer_id: string;
    /** Lower case: patient, service, codes, payer. */
    search_text: string;
    /** Null when no clock runs. */
    clock_due: ColumnType<Date | null, string | null, string | null>;
    created_at: Instant;
    updated_at: Instant;
    /** Assertion id of the requirement whose forms were read; null before. */
    forms_read_for: string | null;
    risk: ColumnType<DenialRisk | null, string | null, string | null>;
    risk_facts: ColumnType<DenialRiskFacts | null, string | null, string | null>;
    document: Json<PriorAuthCase>;
  };
  'cases.state_history': { case_id: string; version: number; state: CaseStateKind; who: string; at: Instant };
  'cases.form': {
    case_id: string;
    form_id: string;
    position: number;
    package: Json<unknown>;
    response: Json<QuestionnaireResponse>;
    version: number;
    sources: Json<Readonly<Record<string, readonly EvidenceReference[]>>>;
    population: Json<PopulationView>;
    /** What the last reading of the record gave; null before the first. */
    populated: ColumnType<PopulatedForm | null, string | null | undefined, string | null>;
    completed: boolean;
    missing: number;
    /** Where the EHR keeps it, "QuestionnaireResponse/1"; null when it does not. */
    ehr_reference: string | null;
    saved_by: MayBe<{ readonly reference: string; readonly name: string }>;
    ehr_copy: MayBe<EhrCopy>;
    unsettled: MayBe<Unsettled>;
    attestation: MayBe<Attestation>;
    updated_at: Instant;
  };
  /** One line of the list for each case; `next_touch` and the assignment are the list's own, the rest follows the case. */
  'cases.worklist_row': {
    case_id: string;
    ehr_base: string;
    state: CaseStateKind;
    /** 0: the payer wants more; 1: all others. */
    attention: number;
    must_act: WhoMustAct;
    payer_id: string;
    requester: string | null;
    service_code: string | null;
    service_name: string;
    clock_kind: Clock['kind'];
    /** 'infinity' when no clock runs. */
    due: ColumnType<Date | number, string, string>;
    /** End of what was authorized, YYYY-MM-DD. */
    valid_until: string | null;
    updated_at: Instant;
    words: ColumnType<string, RawBuilder<string>, RawBuilder<string>>;
    next_touch: string | null;
    assigned_to: string | null;
    assigned_name: string | null;
    /** Grows with each change of any row. */
    revision: ColumnType<number, number | RawBuilder<number> | undefined, RawBuilder<number>>;
  };
  'cases.person': { ehr_base: string; reference: string; name: string };
  'cases.case_note': { id: string; case_id: string; author: string; author_name: string; at: Instant; note: Json<NewNote> };
  'cases.worklist_view': { id: string; ehr_base: string; owner: string; owner_name: string; name: string; shared: boolean; query: Json<WorklistQuery>; created_at: Instant };
  'cases.authorization_use': { id: string; case_id: string; sequence: number; quantity: ColumnType<string, number, never>; used_on: string; entered_by: string; entered_by_name: string; note: string | null; recorded_at: Instant };
  'cases.hand_over': { case_id: string; status: HandOver['status']; document: Json<HandOver>; updated_at: Instant };
};
