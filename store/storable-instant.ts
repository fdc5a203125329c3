/** Epoch milliseconds of the first and last instant that both databases take and that has four digits for its year. */
export const FIRST_INSTANT_MS = Date.parse('0001-01-01T00:00:00Z');
export const LAST_INSTANT_MS = Date.parse('9999-12-31T23:59:59.999Z');
