import type { RequestHandler } from 'express';
import { checkAnswer } from './checked-answer.ts';

/** Header of a call whose answer the caller checks itself. */
export const CHECKED_BY_CALLER = 'x-answer-checked-by-caller';

/** Stands before the service and checks its answers to every other call, whoever makes it: a test that writes its own client gets no unchecked answer. */
export function watchAnswers(fromEhr: () => readonly unknown[]): { readonly handler: RequestHandler; readonly faults: readonly string[] } {
  const faults: string[] = [];
  const handler: RequestHandler = (request, response, next) => {
    if (request.method !== 'POST' || !/^\/cds-services\/[^/]+-crd$/.test(request.path) || request.get(CHECKED_BY_CALLER) !== undefined) return next();
    const chunks: Buffer[] = [];
    let heard = false;
    // Not before the service reads the body: what is heard earlier is lost to it.
    request.on('newListener', (event) => {
      if (event !== 'data' || heard) return;
      heard = true;
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
    });
    const end = response.end.bind(response) as (...parts: readonly unknown[]) => typeof response;
    response.end = ((...parts: readonly unknown[]) => {
      try {
        checkAnswer(Buffer.concat(chunks).toString(), { status: response.statusCode, text: String(parts[0]) }, { fromEhr: fromEhr() });
      } catch (error) {
        faults.push(String(error));
      }
      return end(...parts);
    }) as typeof response.end;
    next();
  };
  return { handler, faults };
}
