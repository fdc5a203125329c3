import type { Expression } from '@medplum/fhirtypes';

/** Variables after those that they name, whatever the order they are written in (SDC). Those in a circle come last, in their own order. */
export function orderVariables(variables: readonly Expression[]): Expression[] {
  const ordered: Expression[] = [];
  let waiting = [...variables];
  while (waiting.length > 0) {
    const ready = waiting.filter((variable) => !waiting.some((other) => other !== variable && uses(variable, other.name)));
    const next = ready.length > 0 ? ready : waiting;
    ordered.push(...next);
    waiting = waiting.filter((variable) => !next.includes(variable));
  }
  return ordered;
}

function uses({ expression = '' }: Expression, name: string | undefined): boolean {
  return name !== undefined && [...expression.matchAll(/%`?([\w-]+)/g)].some(([, used]) => used === name);
}
