import { language } from '../ui/language.ts';
import { en, type LearningWords } from './messages/en.ts';
import { es } from './messages/es.ts';

/* Every word of the models' page, in the language of the page. What the server says in sentences (gate, notes) is English. */

export const messages: LearningWords = { en, es }[language];
