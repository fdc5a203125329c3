/** The panel's address names its session (`?s=`), never its secret: two charts in two tabs stay apart. */
export function readSessionId(search: string): string | undefined {
  const id = new URLSearchParams(search).get('s');
  return id === null || id === '' ? undefined : id;
}
