import { type Html, html } from './html.ts';

export interface FieldWords {
  readonly label: string;
  readonly hint: string;
  /** More than one line of text. */
  readonly lines?: number;
  readonly required?: boolean;
  /** To be chosen from; words by value where they differ. */
  readonly choices?: readonly string[] | Readonly<Record<string, string>>;
  /** Never written back. */
  readonly secret?: boolean;
}

export interface Form<F extends string> {
  /** In the order of the page. */
  readonly fields: Readonly<Record<F, FieldWords>>;
  readonly given: Readonly<Record<F, string>> | undefined;
  /** What is wrong with each field, in words that follow its label. */
  readonly faults: Partial<Readonly<Record<F, string>>> | undefined;
}

/** The word of a page's forms, against forgery. */
export function csrfField(csrf: string): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}">`;
}

/** Stands at the top of the page: the form may be far below. Nothing where nothing is wrong. */
export function faultNotice<F extends string>(lead: string, { fields, faults = {} }: Form<F>): Html {
  const wrong = namesOf(fields).filter((name) => faults[name] !== undefined);
  if (wrong.length === 0) return html``;
  return html`<div class="notice" role="alert"><p>${lead}</p><ul>${wrong.map((name) => html`<li><a href="#${name}">${fields[name].label}</a> ${faults[name]}</li>`)}</ul></div>`;
}

/** The first field that is wrong has the focus when the page opens. */
export function formFields<F extends string>({ fields, given, faults = {} }: Form<F>): readonly Html[] {
  const names = namesOf(fields);
  const first = names.find((name) => faults[name] !== undefined);
  return names.map((name) => {
    const { label, hint, lines, required, choices, secret } = fields[name];
    const fault = faults[name];
    const about = html`id="${name}" name="${name}" aria-describedby="${name}-hint${fault ? ` ${name}-fault` : ''}"${flag(fault !== undefined, 'aria-invalid="true"')}${flag(required, 'required')}${flag(name === first, 'autofocus')}`;
    const value = secret ? '' : (given?.[name] ?? '');
    const control = choices
      ? html`<select ${about}>${optionsOf(choices, value)}</select>`
      : lines ? html`<textarea ${about} rows="${lines}">${value}</textarea>` : html`<input ${about}${flag(secret, 'type="password" autocomplete="off"')} value="${value}">`;
    return html`<label for="${name}">${label}</label><p class="hint" id="${name}-hint">${hint}</p>${fault ? html`<p class="notice" id="${name}-fault">${label} ${fault}</p>` : ''}${control}`;
  });
}

function optionsOf(choices: NonNullable<FieldWords['choices']>, value: string): readonly Html[] {
  const pairs = isList(choices) ? choices.map((choice) => [choice, choice] as const) : Object.entries(choices);
  return pairs.map(([choice, words]) => html`<option value="${choice}"${flag(choice === value, 'selected')}>${words}</option>`);
}

function isList(choices: NonNullable<FieldWords['choices']>): choices is readonly string[] {
  return Array.isArray(choices);
}

function flag(holds: boolean | undefined, attribute: string): Html {
  return { html: holds ? ` ${attribute}` : '' };
}

function namesOf<F extends string>(fields: Readonly<Record<F, FieldWords>>): readonly F[] {
  return Object.keys(fields) as F[];
}
