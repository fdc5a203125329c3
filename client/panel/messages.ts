import { language } from '../ui/language.ts';
import { en, type PanelWords } from './messages/en.ts';
import { es } from './messages/es.ts';

/* Every word of the panel, in the language of the page. */

const words: PanelWords = { en, es }[language];
export const { messages, requirementWords, infoWords } = words;
