/** Small server-rendered pages of the sign-in: no script, no outside resource. */

export const PAGE_SECURITY = "default-src 'none'; style-src 'unsafe-inline'; form-action *; base-uri 'none'";

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);

const STYLE = `body{font:1rem/1.5 system-ui,sans-serif;margin:0;background:#f4f6f8;color:#17212b}main{max-width:26rem;margin:3rem auto;padding:1.5rem;background:#fff;border:1px solid #c7d0d9;border-radius:.5rem}
h1{font-size:1.25rem;margin-top:0}fieldset{border:0;margin:0;padding:0}legend{font-weight:600;margin-bottom:.5rem}label{display:block;padding:.5rem .25rem;border-radius:.25rem}label:hover{background:#eef3f8}
button{margin-top:1rem;font:inherit;padding:.6rem 1.2rem;border:0;border-radius:.25rem;background:#0b5cad;color:#fff;cursor:pointer}input:focus-visible,button:focus-visible{outline:3px solid #f0a202;outline-offset:2px}small{color:#44515e}
section{margin-top:1.5rem}h2{font-size:1.0625rem}input:not([type=radio]):not([type=checkbox]),select,textarea{display:block;width:100%;box-sizing:border-box;font:inherit;padding:.4rem;border:1px solid #66737f;border-radius:.25rem}code{overflow-wrap:anywhere}[role=alert],[role=status]{border:2px solid;padding:.5rem .75rem}`;

export function page(title: string, content: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)} · Sandbox EHR</title><style>${STYLE}</style></head><body><main><h1>${escapeHtml(title)}</h1>${content}</main></body></html>`;
}

interface Choice {
  readonly value: string;
  readonly label: string;
  readonly hint: string;
}

interface ChoicePage {
  readonly title: string;
  readonly question: string;
  readonly action: string;
  readonly method: 'get' | 'post';
  readonly field: string;
  readonly choices: readonly Choice[];
  readonly hidden?: Readonly<Record<string, string>>;
  readonly button: string;
}

/** A page that asks for one of several choices. */
export function choicePage({ title, question, action, method, field, choices, hidden = {}, button }: ChoicePage): string {
  const options = choices.map(
    ({ value, label, hint }) => `<label><input type="radio" name="${escapeHtml(field)}" value="${escapeHtml(value)}" required> ${escapeHtml(label)} <small>${escapeHtml(hint)}</small></label>`,
  );
  const kept = Object.entries(hidden).map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`);
  return page(title, `<form method="${method}" action="${escapeHtml(action)}">${kept.join('')}<fieldset><legend>${escapeHtml(question)}</legend>${options.join('')}</fieldset><button type="submit">${escapeHtml(button)}</button></form>`);
}

export function errorPage(error: string, description: string): string {
  return page('This sign-in cannot go on', `<p>${escapeHtml(description || 'The request was refused.')}</p><p><small>${escapeHtml(error)}</small></p><p><a href="/">Back to the sandbox EHR</a></p>`);
}
