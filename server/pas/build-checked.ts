import { randomUUID } from 'node:crypto';
import type { Bundle } from '@medplum/fhirtypes';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import { type BuildOptions, buildSubmission, type Submission } from '#prior-auth/pas-bundle/build-submission.ts';
import type { BuildRequest } from '#prior-auth/pas-bundle/request-change.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';
import type { BundleFault } from './bundle-faults.ts';
import type { QueuedChange } from './queue-submission.ts';
import type { SenderParts } from './sender-parts.ts';
import type { SubmissionRow } from './submission-table.ts';

interface StandingChange {
  readonly standing: SubmissionRow;
  readonly change: QueuedChange;
}

/**
 * A bundle that the validator has nothing against. Evidence that does not fit the profiles which the version names for it (2.2.1: US Core 7) is left out
 * and named, in one more round; any other fault, and every fault of the Claim, of a party or of a form, stops the request.
 */
export function buildChecked({ faultsOf, diagnosisMap }: Pick<SenderParts, 'faultsOf' | 'diagnosisMap'>, payer: Payer, input: SubmissionInput, nowMs: number, changed?: StandingChange): Submission {
  const version = payer.pasVersion;
  if (changed && changed.standing.pasVersion !== version) {
    const message = `The request was sent in PAS ${changed.standing.pasVersion}; the payer now takes PAS ${version}, at another address.`;
    return { kind: 'incomplete', problems: [{ code: 'PAYER_VERSION_CHANGED', message, nextStep: 'Ask the payer by telephone for the change, and record it in the case.' }] };
  }
  const options: BuildOptions = { ids: randomUUID, now: nowMs, version, request: requestOf(changed), diagnosisMap };
  const whole = buildSubmission(input, options);
  if (whole.kind === 'incomplete') return whole;
  const faults = faultsOf(whole.bundle, version);
  if (faults.length === 0) return whole;
  const refused = refusedEvidence(whole, faults);
  if (Object.keys(refused).length === 0) return invalid(faults, version);
  const rest = buildSubmission(input, { ...options, refused });
  if (rest.kind === 'incomplete') return rest;
  const left = faultsOf(rest.bundle, version);
  return left.length === 0 ? rest : invalid(left, version);
}

/** Reasons by reference of what a person could leave out too. */
function refusedEvidence({ keys, summary }: Extract<Submission, { kind: 'built' }>, faults: readonly BundleFault[]): Readonly<Record<string, string>> {
  const optional = new Set(summary.resources.flatMap(({ optional: mayGo, reference }) => (mayGo && reference ? [reference] : [])));
  const references = new Map(Object.entries(keys.names ?? {}).map(([reference, urn]) => [urn, reference]));
  return Object.fromEntries(
    faults.flatMap(({ fullUrl, lacks }) => {
      const reference = references.get(fullUrl ?? '');
      return lacks !== undefined && reference && optional.has(reference) ? [[reference, `It does not fit what the payer's version takes: ${lacks}.`]] : [];
    }),
  );
}

function invalid(faults: readonly BundleFault[], version: string): Submission {
  const words = faults.map((fault) => fault.words);
  return {
    kind: 'incomplete',
    problems: [
      {
        code: 'PAS_BUNDLE_INVALID',
        message: `The request does not meet PAS ${version}: ${words.slice(0, 5).join('; ')}${words.length > 5 ? `; and ${words.length - 5} more` : ''}`,
        nextStep: 'Correct the named parts in the EHR record, or report this message to the administrator.',
      },
    ],
  };
}

function requestOf(changed: StandingChange | undefined): BuildRequest {
  if (!changed) return { kind: 'new' };
  const { standing, change } = changed;
  const previous = { bundle: JSON.parse(standing.bundle) as Bundle, keys: standing.keys };
  return change.purpose === 'cancel' ? { kind: 'cancel', previous } : { kind: 'update', previous, change: change.change };
}
