/** What may be logged of a fault: its name, its code and where it happened. Messages are left out, for a database's or a parser's may quote a value. */
export function faultFacts(error: unknown): { readonly name: string; readonly code?: string; readonly at?: readonly string[] } {
  if (!(error instanceof Error)) return { name: typeof error };
  const frames = error.stack?.split('\n').filter((line) => line.startsWith('    at '));
  return { name: error.name, ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}), ...(frames ? { at: frames.map((frame) => frame.trim()) } : {}) };
}
