import { randomUUID } from 'node:crypto';
import { openValidator } from '#fhir/validation/validator.ts';
import { buildSubmission } from '#prior-auth/pas-bundle/build-submission.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { HEADER, measure, row } from './figures.ts';

/** Building and validating a PAS 2.0.1 request bundle, against cloning the same bundle. Returns what missed its aim. */
export async function benchPas(): Promise<string[]> {
  const input = sampleInput();
  const build = () => {
    const built = buildSubmission(input, { ids: randomUUID, now: Date.parse('2026-11-22T10:00:00Z') });
    if (built.kind !== 'built') throw new Error('the sample case does not make a bundle');
    return built.bundle;
  };
  const validator = openValidator(['pas-2.0.1']);
  const bundle = build();
  const report = validator.validate(bundle);
  if (!report.valid) throw new Error(`the sample bundle is not valid: ${JSON.stringify(report.issues.filter((issue) => issue.severity === 'error').slice(0, 3))}`);
  console.log(`\nPAS 2.0.1 request bundle, ${(JSON.stringify(bundle).length / 1024).toFixed(1)} kB, ${bundle.entry?.length} entries\n${HEADER}`);
  console.log(row('structuredClone of the bundle', await measure(() => structuredClone(bundle), { durationMs: 1_000 })));
  console.log(row('build', await measure(build, { durationMs: 1_500 })));
  const validate = await measure(() => validator.validate(bundle), { durationMs: 2_000 });
  console.log(row('validate', validate));
  const both = await measure(() => validator.validate(build()), { durationMs: 2_000 });
  console.log(row('build and validate', both));
  return [
    ...(validate.p50Ms > 5 ? [`validating a request bundle has p50 ${validate.p50Ms.toFixed(1)} ms; the aim is 5 ms`] : []),
    ...(both.p50Ms > 5 ? [`building and validating has p50 ${both.p50Ms.toFixed(1)} ms; the aim is 5 ms`] : []),
  ];
}
