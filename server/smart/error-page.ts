import type { Response } from 'express';

export interface PageError {
  readonly title: string;
  readonly message: string;
  readonly nextStep: string;
}

/** The only page the sign-in itself shows. Plain HTML, so that it is read out and printed like any other; nothing in it comes from the request. */
export function sendErrorPage(response: Response, status: number, { title, message, nextStep }: PageError): void {
  response
    .status(status)
    .set({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
    .type('html')
    .send(
      `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"><title>${escape(title)}</title></head>
<body><main><h1>${escape(title)}</h1><p role="alert">${escape(message)}</p><h2>What to do</h2><p>${escape(nextStep)}</p></main></body>
</html>
`,
    );
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
