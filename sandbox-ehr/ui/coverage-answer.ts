import type { CodeableConcept, Extension } from '@medplum/fhirtypes';
import { extensionsByUrl } from '#fhir/base/extension.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import type { Order } from './order.ts';

/** One coverage-information of an order, in the few words that the screens need. */
export interface CoverageAnswer {
  readonly covered: string | undefined;
  readonly paNeeded: string | undefined;
  readonly docNeeded: string | undefined;
  readonly infoNeeded: readonly string[];
  /** In words only: a reason that is no more than a code is left out. */
  readonly reasons: readonly string[];
  readonly questionnaires: readonly string[];
  readonly contacts: readonly string[];
  readonly assertionId: string | undefined;
}

export function coverageAnswers(order: Order): readonly CoverageAnswer[] {
  return extensionsByUrl(order, CRD_URLS.coverageInformation).flatMap((information) =>
    readCoverageInformation({ extension: [information] }).map(({ covered, paNeeded, docNeeded, infoNeeded, reasons, questionnaires, assertionId }) => ({
      covered, paNeeded, docNeeded: docNeeded[0], infoNeeded, reasons: [...new Set(reasons.flatMap(wordsOf))], questionnaires, contacts: extensionsByUrl(information, 'contact').flatMap(contactWords), assertionId,
    })),
  );
}

function wordsOf({ text, coding }: CodeableConcept): readonly string[] {
  const words = text ?? coding?.find(({ display }) => display)?.display;
  return words === undefined || words.trim() === '' ? [] : [words.trim()];
}

/** A ContactPoint in CRD 2.0.1, a ContactDetail in 2.2. */
function contactWords({ valueContactPoint, valueContactDetail }: Extension): readonly string[] {
  const points = [valueContactPoint, ...(valueContactDetail?.telecom ?? [])].flatMap((point) => point?.value ?? []);
  return points.length === 0 ? [] : [[...(valueContactDetail?.name ? [valueContactDetail.name] : []), ...points].join(', ')];
}
