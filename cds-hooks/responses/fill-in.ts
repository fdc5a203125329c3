import { referenceTo } from '#fhir/base/reference.ts';
import type { Placeholder } from '#prior-auth/coverage-requirement/policy-response.ts';
import { plain } from '../card-frame.ts';
import type { DeterminedFocus } from '../determined-focus.ts';

/** A policy's text with its placeholders filled in. In Markdown what comes from the record is escaped. */
export function fillIn(text: string, focus: DeterminedFocus, as: 'text' | 'markdown'): string {
  if (!text.includes('{{')) return text;
  return text.replace(/\{\{(\w+)\}\}/g, (_, name: Placeholder) => {
    const value = valueOf(name, focus);
    return as === 'markdown' ? plain(value) : value;
  });
}

function valueOf(name: Placeholder, { focus, service, determination, patient, payerName }: DeterminedFocus): string {
  switch (name) {
    case 'service':
      return service?.display ?? 'the order';
    case 'code':
      return service?.codings[0]?.code ?? '';
    case 'payer':
      return payerName;
    case 'policy':
      return determination.applicable?.policy.title ?? '';
    case 'order':
      return referenceTo(focus) ?? '';
    case 'coverage':
      return determination.requirement.coverage;
    case 'patient':
      return (patient && referenceTo(patient)) ?? '';
  }
}
