import { LANGUAGES, type Language } from '#prior-auth/language.ts';

/** Preference of this browser for all screens; says nothing about any patient. */
const KEY = 'opa-language';
const PARAMETER = 'lang';

export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', es: 'Español' };

/** Tests of plain functions run without a page, in English. */
const offered: readonly string[] = typeof document === 'undefined' ? [] : navigator.languages;

/** The language of this page, from its opening to its closing. */
export const language: Language = preferred(chosen(), offered);

/** For Intl: the reader's own regional form of the page's language (es-US, en-GB) when the browser names one. */
export const locale: string = offered.find((tag) => baseOf(tag) === language) ?? (language === 'en' ? 'en-US' : language);

export function preferred(choice: string | undefined, accepted: readonly string[]): Language {
  for (const tag of choice === undefined ? accepted : [choice, ...accepted]) {
    const known = LANGUAGES.find((one) => one === baseOf(tag));
    if (known !== undefined) return known;
  }
  return 'en';
}

/** Remembers the choice and loads the page again in it. */
export function chooseLanguage(next: Language): void {
  const address = new URL(window.location.href);
  address.searchParams.delete(PARAMETER);
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // A frame without storage: the address carries the choice.
    address.searchParams.set(PARAMETER, next);
  }
  if (address.href === window.location.href) window.location.reload();
  else window.location.replace(address);
}

function chosen(): string | undefined {
  if (typeof document === 'undefined') return undefined;
  const inAddress = new URLSearchParams(window.location.search).get(PARAMETER);
  if (inAddress !== null) return inAddress;
  try {
    return localStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

function baseOf(tag: string): string {
  return tag.toLowerCase().split('-')[0] ?? '';
}
