import type { Bundle, Claim } from '@medplum/fhirtypes';
import type { Validator } from '#fhir/validation/validator.ts';

/** What keeps a bundle from leaving. */
export interface BundleFault {
  /** "code at Observation.status", so that staff find the place in their record. */
  readonly words: string;
  /** fullUrl of the entry at fault. A reference whose target does not fit its profile is a fault of the target. */
  readonly fullUrl?: string;
  /** What the target lacks, as far as the validator says. */
  readonly lacks?: string;
}

export function bundleFaults(validator: Pick<Validator, 'validate'>, bundle: Bundle): readonly BundleFault[] {
  return validator.validate(bundle).issues.flatMap(({ severity, code, path, message }) => {
    if (severity !== 'error') return [];
    const target = code === 'reference-target-profile' ? informationAt(path, bundle) : undefined;
    const fullUrl = target ?? bundle.entry?.[Number(/^Bundle\.entry\[(\d+)\]/.exec(path)?.[1])]?.fullUrl;
    return [{ words: `${code} at ${inRecordTerms(path, bundle)}`, ...(fullUrl ? { fullUrl } : {}), ...(target ? { lacks: message.slice(message.indexOf(': ') + 2) } : {}) }];
  });
}

function informationAt(path: string, { entry }: Bundle): string | undefined {
  const [, index] = /^Bundle\.entry\[0\]\.resource\.supportingInfo\[(\d+)\]/.exec(path) ?? [];
  const claim = entry?.[0]?.resource as Claim | undefined;
  return index === undefined ? undefined : claim?.supportingInfo?.[Number(index)]?.valueReference?.reference;
}

function inRecordTerms(path: string, bundle: Bundle): string {
  const [whole, index] = /^Bundle\.entry\[(\d+)\]\.resource/.exec(path) ?? [];
  const type = bundle.entry?.[Number(index)]?.resource?.resourceType;
  return whole && type ? `${type}${path.slice(whole.length)}` : path;
}
