import { createContext, useContext } from 'react';
import type { EvidenceReference } from '#prior-auth/coverage-requirement/requirement.ts';
import type { OfferedAnswers, PayerProblem } from '#prior-auth/panel-api.ts';
import type { Form } from '#prior-auth/questionnaire/form.ts';
import type { PanelCall } from '../../panel-call.ts';

/** What every field of one form shares. */
export interface FieldContext {
  readonly edit: (edit: (form: Form) => void) => void;
  readonly sources: Readonly<Record<string, readonly EvidenceReference[]>>;
  readonly userReference: string;
  readonly showSources: (label: string, evidence: readonly EvidenceReference[]) => void;
  readonly call: PanelCall;
  readonly formId: string;
  /** By linkId. */
  readonly offers: Readonly<Record<string, OfferedAnswers>>;
  /** Prefix of element ids, so that two forms on one page do not collide. */
  readonly idPrefix: string;
  readonly readOnly: boolean;
  /** Of the payer's words, when the form says it. */
  readonly formLanguage: string | undefined;
  /** What the payer says against answers of an adaptive form. */
  readonly said?: readonly PayerProblem[];
}

const Context = createContext<FieldContext | undefined>(undefined);
export const FieldProvider = Context.Provider;

export function useField(): FieldContext {
  const context = useContext(Context);
  if (context === undefined) throw new Error('A field outside of a form.');
  return context;
}

/** The id of an item's place on the page; jumps go there. */
export function placeId(idPrefix: string, path: string): string {
  return `${idPrefix}-${path.replace(/[^A-Za-z0-9_-]/g, (character) => `.${character.charCodeAt(0)}.`)}`;
}

/** Where the parts that are not shown yet begin, in a form that is answered in order. */
export function nextPartId(idPrefix: string): string {
  return `${idPrefix}.next`;
}

/** Puts the focus on the first input of an item, else on the item itself. */
export function focusItem(idPrefix: string, path: string): void {
  const place = document.getElementById(placeId(idPrefix, path)) ?? document.getElementById(nextPartId(idPrefix));
  if (place === null) return;
  for (let folded = place.closest('details:not([open])'); folded !== null; folded = folded.parentElement?.closest('details:not([open])') ?? null) folded.setAttribute('open', '');
  const input = place.querySelector<HTMLElement>('input:checked, input, select, textarea');
  place.scrollIntoView({ block: 'center' });
  (input ?? place).focus({ preventScroll: true });
}
