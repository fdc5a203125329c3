import type { Bundle } from '@medplum/fhirtypes';
import type { Validator } from '#fhir/validation/validator.ts';

/** What keeps a bundle from leaving: the validator's errors as "code at Observation.status", so that staff find the place in their record. */
export function bundleFaults(validator: Pick<Validator, 'validate'>, bundle: Bundle): readonly string[] {
  return validator.validate(bundle).issues.flatMap(({ severity, code, path }) => (severity === 'error' ? [`${code} at ${inRecordTerms(path, bundle)}`] : []));
}

function inRecordTerms(path: string, bundle: Bundle): string {
  const [whole, index] = /^Bundle\.entry\[(\d+)\]\.resource/.exec(path) ?? [];
  const type = bundle.entry?.[Number(index)]?.resource?.resourceType;
  return whole && type ? `${type}${path.slice(whole.length)}` : path;
}
