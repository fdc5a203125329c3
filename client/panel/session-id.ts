/** The panel's address names its session (`?session=`), never its secret: two charts in two tabs stay apart. */
export function readSessionId(search: string): string | undefined {
  const id = new URLSearchParams(search).get('session');
  return id === null || id === '' ? undefined : id;
}
