import type { Questionnaire, QuestionnaireItem, QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import { encodeLinkId } from '#prior-auth/questionnaire/form-state.ts';
import type { ExpressionScope, FormExpression } from './form-expressions.ts';
import { isFhirPathExpression } from './form-expressions.ts';

/** One element of the form as expressions see it: under a group with rows, once for each row. */
export interface Frame {
  readonly outer?: number;
  readonly expressions: readonly FormExpression[];
  /** Names known without running anything: launch context, the row. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Item path; empty at the root. */
  readonly path: string;
  /** Where its answer goes: the item path inside rows, else the linkId. */
  readonly key: string;
  /** The row it is in, the nearest one. */
  readonly row?: unknown;
}

export interface FramesInput {
  readonly questionnaire: Questionnaire;
  readonly response: QuestionnaireResponse | undefined;
  readonly root: ExpressionScope;
  readonly launch: Readonly<Record<string, unknown>>;
  /** What a group's rows expression gave; undefined while nobody knows. */
  readonly rowsOf: (expression: FormExpression, at: Pick<Frame, 'path'>) => readonly unknown[] | undefined;
}

/** An expression at one place. */
export function instanceId({ id }: FormExpression, { path }: Pick<Frame, 'path'>): string {
  return `${id}@${path}`;
}

const MOST_ROWS = 50;

/** All frames, outer ones first. `rows`: path of a repeating group -> how many rows it has. */
export function buildFrames({ questionnaire, response, root, launch, rowsOf }: FramesInput): { readonly frames: readonly Frame[]; readonly rows: Readonly<Record<string, number>> } {
  const frames: Frame[] = [];
  const rows: Record<string, number> = {};
  const add = (frame: Frame): number => frames.push(frame) - 1;
  const visit = (scope: ExpressionScope, outer: number, prefix: string, row: { readonly value: unknown } | undefined): void => {
    const { item } = scope;
    if (!item) return;
    const path = prefix + encodeLinkId(item.linkId ?? '');
    const own = add({ outer, expressions: scope.expressions, values: itemValues(scope, item, response), path, key: row ? path : item.linkId ?? '', ...(row ? { row: row.value } : {}) });
    const repeat = scope.expressions.find(({ purpose }) => purpose.kind === 'rows');
    const found = repeat && rowsOf(repeat, { path });
    if (!repeat || !('name' in repeat.purpose)) {
      for (const child of scope.children) visit(child, own, item.repeats ? `${path}[0]/` : `${path}/`, row);
      return;
    }
    // What is inside waits for the rows.
    if (!found) return;
    const { name } = repeat.purpose;
    const shown = found.slice(0, MOST_ROWS);
    rows[path] = shown.length;
    // Without a row the name is there and empty, so that what uses it gives nothing instead of failing.
    if (shown.length === 0) shown.push(undefined);
    for (const [index, value] of shown.entries()) {
      const inside = add({ outer: own, expressions: [], values: { [name]: value ?? [] }, path: `${path}[${index}]`, key: path });
      for (const child of scope.children) visit(child, inside, `${path}[${index}]/`, value === undefined ? row : { value });
    }
  };
  const outermost = add({ expressions: root.expressions, values: { ...launch, questionnaire, ...(response ? { resource: response, context: response } : {}) }, path: '', key: '' });
  for (const child of root.children) visit(child, outermost, '', undefined);
  return { frames, rows };
}

/** %qitem and %context, for elements that name them. */
function itemValues({ expressions }: ExpressionScope, item: QuestionnaireItem, response: QuestionnaireResponse | undefined): Record<string, unknown> {
  const named = (name: string) => expressions.some(({ expression: { expression = '' } }) => expression.includes(`%${name}`));
  return { ...(named('qitem') ? { qitem: item } : {}), ...(named('context') ? { context: itemsNamed(item.linkId, response?.item ?? []) } : {}) };
}

function itemsNamed(linkId: string | undefined, items: readonly QuestionnaireResponseItem[]): QuestionnaireResponseItem[] {
  return items.flatMap((item) => [
    ...(item.linkId === linkId ? [item] : []),
    ...itemsNamed(linkId, item.item ?? []),
    ...(item.answer ?? []).flatMap((answer) => itemsNamed(linkId, answer.item ?? [])),
  ]);
}

/** Names that a text uses, without their percent sign. */
export function namesUsed(text: string): string[] {
  return [...text.matchAll(/%`?([\w-]+)/g)].flatMap(([, name]) => (name ? [name] : []));
}

/**
 * Whether a text at a frame, or any variable that it uses, waits for a result that is not there yet. `isOpen` tells that of an expression with a name.
 */
export function isBlocked(text: string, frame: number, frames: readonly Frame[], isOpen: (expression: FormExpression, frame: Frame) => boolean, seen = new Set<string>()): boolean {
  return namesUsed(text).some((name) => {
    for (let at: number | undefined = frame; at !== undefined; at = frames[at]?.outer) {
      const place = frames[at];
      if (!place) return false;
      const definition = place.expressions.find(({ purpose }) => purpose.kind === 'variable' && purpose.name === name);
      if (definition) {
        const id = instanceId(definition, place);
        if (seen.has(id)) return false;
        seen.add(id);
        return isOpen(definition, place) || (isFhirPathExpression(definition.expression) && isBlocked(definition.expression.expression ?? '', at, frames, isOpen, seen));
      }
      if (Object.hasOwn(place.values, name)) return false;
    }
    return false;
  });
}
