import { language } from '../ui/language.ts';
import { en, type WorkWords } from './messages/en.ts';
import { es } from './messages/es.ts';

/* Every word of the worklist, in the language of the page. */

export const messages: WorkWords = { en, es }[language];
