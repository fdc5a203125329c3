import { createHash } from 'node:crypto';
import type { Response } from 'express';

/** HTML that is safe to send: made by `html` only. */
export interface Html {
  readonly html: string;
}

/** Text put into the template is escaped; Html and lists of it are not. */
export function html(texts: TemplateStringsArray, ...values: readonly (string | number | undefined | Html | readonly Html[])[]): Html {
  const written = values.map((value) => (value === undefined ? '' : typeof value === 'string' || typeof value === 'number' ? escaped(String(value)) : 'html' in value ? value.html : value.map((each) => each.html).join('')));
  return { html: texts.map((text, i) => text + (written[i] ?? '')).join('') };
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; font-weight: bold; padding: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .5rem; border-bottom: 1px solid GrayText; overflow-wrap: anywhere; }
label { display: block; font-weight: bold; margin-top: 1rem; } .hint { margin: 0; }
tbody th { min-width: 9.5rem; } td { min-width: 7rem; } thead th, .words { overflow-wrap: normal; } .words { min-width: 0; } td form { display: inline-block; margin-right: .5rem; }
td ul { margin: 0; padding-left: 1.2rem; }
input, textarea, select { font: inherit; } select { padding: .4rem; } input, textarea { display: block; width: 100%; max-width: 45rem; padding: .4rem; box-sizing: border-box; }
button { font: inherit; padding: .4rem 1rem; margin-top: .5rem; cursor: pointer; }
ol.steps { padding: 0; list-style: none; } ol.steps > li { padding: .5rem 0; border-bottom: 1px solid GrayText; overflow-wrap: anywhere; } ol.steps p { margin: .25rem 0; }
.notice { border: 2px solid; padding: .5rem 1rem; overflow-wrap: anywhere; } pre { white-space: pre-wrap; } .notice p, .notice ul { margin: .25rem 0; } .notice ul { padding-left: 1.2rem; } .wide { overflow-x: auto; }
@media (max-width: 56rem) {
  .wide table, .wide caption, .wide tbody, .wide tr, .wide tbody th, .wide td { display: block; }
  .wide thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .wide tr { border: 1px solid GrayText; padding: .5rem .75rem; margin-bottom: .75rem; }
  .wide tbody th, .wide td { border: 0; min-width: 0; padding: .25rem 0; } .wide td form { display: block; }
  .wide td::before { content: attr(data-label); display: block; font-size: .875rem; font-weight: bold; } .wide td:empty { display: none; }
}
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
.skip { position: absolute; left: -100rem; } .skip:focus { left: 1rem; }`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** `tab`: what the window says, where it differs from the heading. */
export function sendPage(response: Response, status: number, title: string, body: Html, tab: string = title): void {
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${tab} - Open Prior Auth</title><style>${{ html: STYLE }}</style></head>
<body><a class="skip" href="#main">Skip to content</a><main id="main"><h1>${title}</h1>${body}</main></body></html>`;
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  }).end(page.html);
}
