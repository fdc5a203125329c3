import type { Language } from './language.ts';
import type { SubmissionPurpose } from './pas-bundle/request-change.ts';
import type { Entry } from './payer-decision/decision.ts';

interface Said {
  readonly headline: string;
  readonly next: string;
}

/** The sentences about where a case stands, in one language. */
export interface StateVocabulary {
  readonly notNeeded: Said;
  readonly questionnaire: Said;
  readonly ready: Said;
  readonly missing: (count: number) => string;
  readonly number: (number: string) => string;
  readonly queued: { readonly [P in SubmissionPurpose]: (payer: string) => string };
  readonly tried: (attempts: number, payer: string) => string;
  readonly goesSoon: string;
  readonly goesAgain: string;
  readonly stands: (headline: string) => string;
  readonly held: (by: string) => string;
  readonly letGo: string;
  readonly pended: (payer: string) => string;
  readonly followed: string;
  readonly wantsMore: (payer: string, count: number) => string;
  readonly asks: (text: string) => string;
  readonly answerIt: (due: string | undefined) => string;
  readonly answerSending: string;
  readonly answerRefused: (reason: string) => string;
  readonly changeRefused: (purpose: Exclude<SubmissionPurpose, 'new'>, reason: string) => string;
  readonly denied: string;
  readonly entered: (by: string, learnedBy: Entry['learnedBy']) => string;
  readonly cancelled: (payer: string) => Said;
  readonly refused: (payer: string) => Said;
  readonly because: (reason: string) => string;
  readonly manual: (by: string) => string;
  readonly reference: (reference: string) => string;
  readonly was: (headline: string) => string;
  readonly manualNext: (payer: string) => string;
}

const LEARNED_EN: { readonly [L in Entry['learnedBy']]: string } = { telephone: 'by telephone', fax: 'by fax', portal: 'on the payer’s web site', letter: 'by letter', other: 'in another way' };
const LEARNED_ES: { readonly [L in Entry['learnedBy']]: string } = { telephone: 'por teléfono', fax: 'por fax', portal: 'en el sitio web del pagador', letter: 'por carta', other: 'de otra manera' };

const en: StateVocabulary = {
  notNeeded: { headline: 'No authorization is needed', next: 'Nothing to do. The order can go ahead.' },
  questionnaire: { headline: 'The payer’s questions are being answered', next: 'Complete the forms; then the request can be sent.' },
  ready: { headline: 'Ready to send', next: 'Look through the request and send it.' },
  missing: (count) => `${count} required ${count === 1 ? 'answer is' : 'answers are'} missing.`,
  number: (number) => `Authorization number ${number}.`,
  queued: {
    new: (payer) => `The request is on its way to ${payer}`,
    update: (payer) => `A change of the request is on its way to ${payer}`,
    cancel: (payer) => `The cancellation is on its way to ${payer}`,
  },
  tried: (attempts, payer) => `Sent ${attempts} ${attempts === 1 ? 'time' : 'times'} so far; no answer of ${payer} came.`,
  goesSoon: 'Nothing to do. It is sent in a moment.',
  goesAgain: 'Nothing to do. It is sent again by itself until the payer answers, and the payer sees one request.',
  stands: (headline) => `Until the payer takes the change, what it said before stands: ${headline}.`,
  held: (by) => `Held back by ${by}`,
  letGo: 'Let it go when it may be sent, or take it back.',
  pended: (payer) => `${payer} is deciding`,
  followed: 'Nothing to do. The answer is followed up by itself.',
  wantsMore: (payer, count) => (count === 1 ? `${payer} wants more information before it decides` : `${payer} wants more information before it decides: ${count} things`),
  asks: (text) => `The payer asks: ${text}`,
  answerIt: (due) => `Answer what the payer asks for${due ? ` by ${due}` : ''}. The payer’s own time runs on meanwhile.`,
  answerSending: 'Your answer is on its way to the payer.',
  answerRefused: (reason) => `The payer did not take your answer: ${reason}.`,
  changeRefused: (purpose, reason) => `The payer did not take the ${purpose === 'cancel' ? 'cancellation' : 'change'}, and what stood before stands: ${reason}.`,
  denied: 'Read the reason. Make a new request when you have what was missing, or ask the payer for a peer-to-peer call, or appeal.',
  entered: (by, learnedBy) => `Entered by ${by}, learned ${LEARNED_EN[learnedBy]}. The payer’s system has not said so.`,
  cancelled: (payer) => ({ headline: `Cancelled at ${payer}`, next: 'Nothing to do. A new request can be made.' }),
  refused: (payer) => ({ headline: `${payer} refused the request for a technical reason`, next: 'Correct what is named and send again, or go on by hand. Nothing was decided.' }),
  because: (reason) => `Reason: ${reason}.`,
  manual: (by) => `Handled by hand by ${by}`,
  reference: (reference) => `The payer’s number: ${reference}.`,
  was: (headline) => `Before: ${headline}.`,
  manualNext: (payer) => `Send the packet to ${payer} by fax, portal or telephone, and enter the payer’s number and decision here.`,
};

const es: StateVocabulary = {
  notNeeded: { headline: 'No hace falta autorización', next: 'Nada que hacer. La orden puede seguir adelante.' },
  questionnaire: { headline: 'Se están contestando las preguntas del pagador', next: 'Complete los formularios; después se puede enviar la solicitud.' },
  ready: { headline: 'Lista para enviar', next: 'Revise la solicitud y envíela.' },
  missing: (count) => (count === 1 ? 'Falta 1 respuesta obligatoria.' : `Faltan ${count} respuestas obligatorias.`),
  number: (number) => `Número de autorización ${number}.`,
  queued: {
    new: (payer) => `La solicitud está en camino a ${payer}`,
    update: (payer) => `Un cambio de la solicitud está en camino a ${payer}`,
    cancel: (payer) => `La cancelación está en camino a ${payer}`,
  },
  tried: (attempts, payer) => `Enviada ${attempts} ${attempts === 1 ? 'vez' : 'veces'} hasta ahora; no llegó respuesta de ${payer}.`,
  goesSoon: 'Nada que hacer. Se envía en un momento.',
  goesAgain: 'Nada que hacer. Se envía de nuevo por sí sola hasta que el pagador conteste, y el pagador ve una sola solicitud.',
  stands: (headline) => `Hasta que el pagador acepte el cambio vale lo que dijo antes: ${headline}.`,
  held: (by) => `Retenida por ${by}`,
  letGo: 'Suéltela cuando se pueda enviar, o retírela.',
  pended: (payer) => `${payer} está decidiendo`,
  followed: 'Nada que hacer. La respuesta se sigue por sí sola.',
  wantsMore: (payer, count) => (count === 1 ? `${payer} quiere más información antes de decidir` : `${payer} quiere más información antes de decidir: ${count} cosas`),
  asks: (text) => `El pagador pide: ${text}`,
  answerIt: (due) => `Conteste lo que pide el pagador${due ? ` antes del ${due}` : ''}. El plazo del pagador sigue corriendo mientras tanto.`,
  answerSending: 'Su respuesta está en camino al pagador.',
  answerRefused: (reason) => `El pagador no aceptó su respuesta: ${reason}.`,
  changeRefused: (purpose, reason) => `El pagador no aceptó ${purpose === 'cancel' ? 'la cancelación' : 'el cambio'}, y vale lo que había antes: ${reason}.`,
  denied: 'Lea la razón. Haga una solicitud nueva cuando tenga lo que faltaba, o pida al pagador una conversación entre médicos, o apele.',
  entered: (by, learnedBy) => `Anotado por ${by}, sabido ${LEARNED_ES[learnedBy]}. El sistema del pagador no lo ha dicho.`,
  cancelled: (payer) => ({ headline: `Cancelada en ${payer}`, next: 'Nada que hacer. Se puede hacer una solicitud nueva.' }),
  refused: (payer) => ({ headline: `${payer} rechazó la solicitud por una razón técnica`, next: 'Corrija lo que se nombra y envíe de nuevo, o siga a mano. No se decidió nada.' }),
  because: (reason) => `Razón: ${reason}.`,
  manual: (by) => `La lleva a mano ${by}`,
  reference: (reference) => `Número del pagador: ${reference}.`,
  was: (headline) => `Antes: ${headline}.`,
  manualNext: (payer) => `Envíe el paquete a ${payer} por fax, portal o teléfono, y anote aquí el número y la decisión del pagador.`,
};

export const STATE_VOCABULARY: Readonly<Record<Language, StateVocabulary>> = { en, es };
