/** The languages of our own words. What a payer writes stays in the payer's language. */
export const LANGUAGES = ['en', 'es'] as const;
export type Language = (typeof LANGUAGES)[number];
