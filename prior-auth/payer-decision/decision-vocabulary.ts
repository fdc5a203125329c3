import type { Language } from '../language.ts';
import type { ItemDecision, PayerDecision } from './decision.ts';

/** The sentences of a decision in one language. What the payer wrote is never translated. */
export interface DecisionVocabulary {
  readonly overall: { readonly [O in PayerDecision['overall']]: { readonly headline: string; readonly nextStep: string } };
  readonly item: { readonly [K in ItemDecision['kind']]: string };
  readonly unreadable: { readonly [W in Extract<ItemDecision, { kind: 'unreadable' }>['why']]: string };
  readonly addedByPayer: string;
  readonly payerError: (code: string, text: string | undefined) => string;
  readonly authorizationNumber: (number: string) => string;
  readonly reasonCodes: (codes: readonly string[]) => string;
  readonly payerReference: (reference: string) => string;
  readonly reviewActionCode: (code: string) => string;
  readonly authorizedQuantity: (value: number, unit: string | undefined) => string;
  readonly authorizedCode: (code: string) => string;
  readonly authorizedProviders: (names: readonly string[]) => string;
  readonly unitPrice: (value: number, currency: string | undefined) => string;
  readonly reviewed: (byHuman: boolean, specialty: string | undefined) => string;
  readonly valid: (start: string | undefined, end: string | undefined) => string;
}

const en: DecisionVocabulary = {
  overall: {
    approved: { headline: 'Approved', nextStep: 'Go ahead with the order. Keep the authorization number for the claim.' },
    modified: { headline: 'Approved with changes', nextStep: 'Compare what was authorized with what was ordered before going ahead.' },
    'partly-approved': { headline: 'Approved in part', nextStep: 'Go ahead only with the approved items. Read the reasons for the others.' },
    denied: { headline: 'Denied', nextStep: 'Read the reason. When the record holds what was missing, make a new request. Or ask the payer for a peer-to-peer call, or appeal.' },
    pended: { headline: 'The payer is still deciding', nextStep: 'Nothing to do now: the answer is followed up automatically. Send what the payer asks for, if anything.' },
    error: { headline: 'The payer could not process the request', nextStep: 'Correct what the payer names below and submit again, or call the payer.' },
    unreadable: { headline: 'The payer answered in a way we cannot read', nextStep: 'Do not treat this as an approval. Call the payer and ask for the decision.' },
  },
  item: { approved: 'Approved', modified: 'Approved with changes', denied: 'Denied', pended: 'Not decided yet', unreadable: 'No decision that can be read' },
  unreadable: {
    'no-review-action': 'The payer sent no review action for this item',
    'unknown-review-action': 'The payer sent a review action that is not known here',
    'item-missing': 'The payer said nothing about this item',
  },
  addedByPayer: 'Added by the payer',
  payerError: (code, text) => `Payer error ${code}${text ? `: ${text}` : ''}`,
  authorizationNumber: (number) => `Authorization number ${number}`,
  reasonCodes: (codes) => `Reason ${codes.length > 1 ? 'codes' : 'code'} ${codes.join(', ')}`,
  payerReference: (reference) => `Payer's reference ${reference}`,
  reviewActionCode: (code) => `Review action code ${code}`,
  authorizedQuantity: (value, unit) => `Authorized: ${value}${unit ? ` ${unit}` : ''}`,
  authorizedCode: (code) => `Authorized code ${code}`,
  authorizedProviders: (names) => `To be done by ${names.join(', ')}`,
  unitPrice: (value, currency) => `Authorized for ${value}${currency ? ` ${currency}` : ''} each`,
  reviewed: (byHuman, specialty) => (byHuman ? `The payer says that a person reviewed it${specialty ? ` (${specialty})` : ''}` : 'The payer says that no person reviewed it'),
  valid: (start, end) => (start === undefined ? `Valid until ${end}` : `Valid from ${start}${end === undefined ? '' : ` to ${end}`}`),
};

const es: DecisionVocabulary = {
  overall: {
    approved: { headline: 'Aprobada', nextStep: 'Siga adelante con la orden. Guarde el número de autorización para la reclamación.' },
    modified: { headline: 'Aprobada con cambios', nextStep: 'Compare lo autorizado con lo ordenado antes de seguir adelante.' },
    'partly-approved': { headline: 'Aprobada en parte', nextStep: 'Siga adelante solo con lo aprobado. Lea las razones de lo demás.' },
    denied: { headline: 'Denegada', nextStep: 'Lea la razón. Cuando la historia clínica contenga lo que faltaba, haga una solicitud nueva. O pida al pagador una conversación entre médicos, o apele.' },
    pended: { headline: 'El pagador aún está decidiendo', nextStep: 'Ahora no hay nada que hacer: la respuesta se sigue automáticamente. Envíe lo que pida el pagador, si pide algo.' },
    error: { headline: 'El pagador no pudo procesar la solicitud', nextStep: 'Corrija lo que el pagador nombra abajo y envíe de nuevo, o llame al pagador.' },
    unreadable: { headline: 'El pagador contestó de un modo que no se puede leer', nextStep: 'No lo tome como una aprobación. Llame al pagador y pida la decisión.' },
  },
  item: { approved: 'Aprobado', modified: 'Aprobado con cambios', denied: 'Denegado', pended: 'Aún sin decidir', unreadable: 'Sin decisión que se pueda leer' },
  unreadable: {
    'no-review-action': 'El pagador no envió ninguna acción de revisión para este punto',
    'unknown-review-action': 'El pagador envió una acción de revisión que aquí no se conoce',
    'item-missing': 'El pagador no dijo nada sobre este punto',
  },
  addedByPayer: 'Añadido por el pagador',
  payerError: (code, text) => `Error del pagador ${code}${text ? `: ${text}` : ''}`,
  authorizationNumber: (number) => `Número de autorización ${number}`,
  reasonCodes: (codes) => `${codes.length > 1 ? 'Códigos' : 'Código'} de la razón: ${codes.join(', ')}`,
  payerReference: (reference) => `Referencia del pagador ${reference}`,
  reviewActionCode: (code) => `Código de la acción de revisión ${code}`,
  authorizedQuantity: (value, unit) => `Autorizado: ${value}${unit ? ` ${unit}` : ''}`,
  authorizedCode: (code) => `Código autorizado ${code}`,
  authorizedProviders: (names) => `A cargo de ${names.join(', ')}`,
  unitPrice: (value, currency) => `Autorizado por ${value}${currency ? ` ${currency}` : ''} cada uno`,
  reviewed: (byHuman, specialty) => (byHuman ? `El pagador dice que lo revisó una persona${specialty ? ` (${specialty})` : ''}` : 'El pagador dice que no lo revisó ninguna persona'),
  valid: (start, end) => (start === undefined ? `Válida hasta ${end}` : `Válida desde ${start}${end === undefined ? '' : ` hasta ${end}`}`),
};

export const DECISION_VOCABULARY: Readonly<Record<Language, DecisionVocabulary>> = { en, es };
