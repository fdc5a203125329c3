export interface DefineReference {
  /** Absent: any library of the package that has the define. */
  readonly library?: string;
  readonly define: string;
}

const IDENTIFIER = '"(?:[^"\\\\]|\\\\.)+"|[A-Za-z_][\\w-]*';
const QUALIFIED = new RegExp(`^(${IDENTIFIER})\\s*\\.\\s*(.+)$`, 's');
const PLAIN_WORDS = /^[A-Za-z_][\w ]*$/;
const QUOTED = /^"((?:[^"\\]|\\.)+)"$/;

/**
 * The ways payers name a define: `"Lib".Def`, `"Lib"."Def x"`, `Lib.Def`, `Def`, `"Def x"`, and `"Lib".Def with spaces`, which is no CQL but is found.
 * Anything else is a CQL expression of its own: undefined.
 */
export function parseDefineReference(expression: string): DefineReference | undefined {
  const text = expression.trim();
  const qualified = QUALIFIED.exec(text);
  if (qualified) {
    const define = nameOf(qualified[2] ?? '');
    return define === undefined ? undefined : { library: unquote(qualified[1] ?? ''), define };
  }
  const define = nameOf(text);
  return define === undefined ? undefined : { define };
}

function nameOf(text: string): string | undefined {
  const trimmed = text.trim();
  return QUOTED.test(trimmed) ? unquote(trimmed) : PLAIN_WORDS.test(trimmed) ? trimmed : undefined;
}

function unquote(text: string): string {
  return QUOTED.exec(text)?.[1]?.replace(/\\(.)/g, '$1') ?? text;
}
