/** Splits `url|version`. */
export function splitCanonical(canonical: string): { readonly url: string; readonly version?: string } {
  const bar = canonical.indexOf('|');
  return bar < 0 ? { url: canonical } : { url: canonical.slice(0, bar), version: canonical.slice(bar + 1) };
}
