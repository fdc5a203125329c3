import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { LANGUAGES } from '#prior-auth/language.ts';
import { chooseLanguage, language, LANGUAGE_NAMES } from './language.ts';

/** The other languages by their own names, each said in its own voice. */
export function LanguageSwitch(): ReactNode {
  return LANGUAGES.filter((one) => one !== language).map((one) => (
    <Button key={one} size="xs" variant="default" lang={one} onClick={() => chooseLanguage(one)}>{LANGUAGE_NAMES[one]}</Button>
  ));
}
