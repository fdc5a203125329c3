import type { Extension } from '@medplum/fhirtypes';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import type { CrdVersion } from '../hook-call.ts';
import type { Topic } from '../hook-answer.ts';

/** All that differs between CRD versions in what is sent. One for each version, over the same determination. */
export interface AnswerWriter {
  readonly version: CrdVersion;
  /** A card's topic, for a code of CRD's own card types. */
  topic(code: string, display: string): Topic;
  /** Value of card.extension["davinci-crd.associated-resource"], from "Type/id" references. */
  associatedResources(references: readonly string[]): readonly unknown[];
  /** The caller has held the requirement against the emission rules. */
  coverageInformation(requirement: CoverageRequirement): Extension;
  /** Where coverage-information of an appointment goes that was made from service requests. */
  readonly appointmentAnswerOn: 'appointment' | 'service-request';
  /** HTTP status of a call that is JSON but no conforming call, or has no coverage that can be answered for. */
  readonly statusNotConforming: 400 | 422;
}
