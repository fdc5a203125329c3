import type { z } from 'zod';

const MOST = 5;

/** What does not conform in a body, place by place, for whoever writes the client. No values of the body. */
export function faultWords(issues: readonly z.core.$ZodIssue[]): string {
  const said = issues.slice(0, MOST).map((issue) => `${issue.path.join('.') || 'the body'} ${wordsOf(issue)}`);
  return `${said.join('; ')}${issues.length > MOST ? `; and ${issues.length - MOST} more` : ''}.`;
}

function wordsOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? `is missing: ${article(issue.expected)}` : `must be ${article(issue.expected)}`;
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`;
    case 'too_small':
      return issue.origin === 'string' ? 'must not be empty' : `must have ${issue.minimum} or more entries`;
    case 'too_big':
      return `must have at most ${issue.maximum} ${issue.origin === 'string' ? 'characters' : 'entries'}`;
    case 'custom':
      return issue.message;
    default:
      return issue.message.startsWith('Invalid') ? `is not written as ${article('format' in issue ? issue.format : 'expected')}` : `must be ${issue.message}`;
  }
}

function article(what: string): string {
  return `${/^[aeiou]/.test(what) ? 'an' : 'a'} ${what}`;
}
