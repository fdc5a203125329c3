import type { Form, OpenFormOptions } from './form.ts';

/** Opens a payer form for editing. Throws nothing: what is wrong with the form is in `view().problems`. */
export function openForm(_options: OpenFormOptions): Form {
  throw new Error('being built');
}
