import { PayerError } from '../payer-error.ts';
import type { DtrVersion } from '../questionnaires/dtr-version.ts';

export interface ErrorReport {
  readonly questionnaire: string;
  readonly issues: readonly { readonly severity: string; readonly code: string; readonly details: readonly string[]; readonly expression: readonly string[] }[];
}

/**
 * $log-questionnaire-errors: one outcome in 2.0.1, one or more in 2.2.0; both spellings of the parts. PayerError 400 for anything else.
 * Codes and places only are kept: a sender should leave patient data out, and this makes sure.
 */
export function readErrorReport(body: unknown, { version }: DtrVersion): ErrorReport {
  const parts: unknown = isRecord(body) && body['resourceType'] === 'Parameters' ? body['parameter'] : undefined;
  if (!Array.isArray(parts)) throw new PayerError(400, { code: 'structure', text: 'Send Parameters with questionnaire and operationOutcome.', expression: 'Parameters' });
  const named = (name: string) => parts.filter((part: unknown): part is Record<string, unknown> => isRecord(part) && String(part['name']).toLowerCase() === name);
  const [questionnaire, ...moreForms] = named('questionnaire').map((part) => part['valueCanonical']);
  const outcomes = named('operationoutcome').map((part) => part['resource']);
  const say = (code: 'required' | 'structure', text: string) => new PayerError(400, { code, text, expression: 'Parameters.parameter' });
  if (typeof questionnaire !== 'string' || questionnaire === '') throw say('required', 'questionnaire carries a valueCanonical.');
  if (moreForms.length > 0) throw say('structure', 'One questionnaire is reported at a time.');
  if (outcomes.length === 0) throw say('required', 'operationOutcome carries an OperationOutcome.');
  if (version === '2.0.1' && outcomes.length > 1) throw say('structure', 'One operationOutcome is taken.');
  const issues = outcomes.flatMap((outcome) => {
    if (!isRecord(outcome) || outcome['resourceType'] !== 'OperationOutcome' || !Array.isArray(outcome['issue']) || outcome['issue'].length === 0) throw say('required', 'operationOutcome carries an OperationOutcome with an issue.');
    return outcome['issue'].filter(isRecord);
  });
  return {
    questionnaire: questionnaire.slice(0, 300),
    issues: issues.slice(0, 50).map((issue) => ({
      severity: code(issue['severity']),
      code: code(issue['code']),
      details: codesOf(issue['details']),
      expression: (Array.isArray(issue['expression']) ? issue['expression'] : []).slice(0, 10).map((one: unknown) => String(one).slice(0, 200)),
    })),
  };
}

function codesOf(details: unknown): string[] {
  const coding = isRecord(details) ? details['coding'] : undefined;
  return (Array.isArray(coding) ? coding : []).filter(isRecord).map((one) => code(one['code']));
}

function code(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 50) : '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
