import type { Language } from './language.ts';

/** Why a person may not do something with a case. */
export type WhyNot =
  | 'forms-open' | 'by-hand' | 'not-by-hand' | 'sent-already' | 'nothing-asked' | 'held-already' | 'not-held' | 'nothing-on-its-way' | 'on-its-way' | 'may-have-arrived'
  | 'finished' | 'nothing-pended' | 'not-denied' | 'denied' | 'not-approved' | 'decided-by-hand' | 'not-sent' | 'nothing-asked-for';

export const WHY_NOT: Readonly<Record<Language, { readonly [W in WhyNot]: string }>> = {
  en: {
    'forms-open': 'The payer’s forms are not complete yet.',
    'by-hand': 'This case is handled by hand. Switch it back first.',
    'not-by-hand': 'This case is not handled by hand.',
    'sent-already': 'The payer has this request already, or it is on its way.',
    'nothing-asked': 'The payer asks for no authorization.',
    'held-already': 'The request is held. Let it go first.',
    'not-held': 'The request is not held.',
    'nothing-on-its-way': 'Nothing of this case is on its way to the payer.',
    'on-its-way': 'A request of this case is on its way. Wait for the payer’s answer.',
    'may-have-arrived': 'The payer may have the request already: it was sent, and no answer came. Wait for the answer, then cancel it.',
    finished: 'This case has its answer.',
    'nothing-pended': 'The payer is not deciding anything in this case.',
    'not-denied': 'The request was neither denied nor cancelled.',
    denied: 'After a denial the payer takes no change. Make a new request.',
    'not-approved': 'The payer has not approved anything in this case.',
    'decided-by-hand': 'The decision was entered by hand, so the payer’s system has no request to change. Ask for the change in the same way.',
    'not-sent': 'The payer does not have this request yet.',
    'nothing-asked-for': 'The payer has asked for nothing that is still open.',
  },
  es: {
    'forms-open': 'Los formularios del pagador aún no están completos.',
    'by-hand': 'Este caso se lleva a mano. Devuélvalo primero al envío electrónico.',
    'not-by-hand': 'Este caso no se lleva a mano.',
    'sent-already': 'El pagador ya tiene esta solicitud, o está en camino.',
    'nothing-asked': 'El pagador no pide autorización.',
    'held-already': 'La solicitud está retenida. Suéltela primero.',
    'not-held': 'La solicitud no está retenida.',
    'nothing-on-its-way': 'Nada de este caso está en camino al pagador.',
    'on-its-way': 'Una solicitud de este caso está en camino. Espere la respuesta del pagador.',
    'may-have-arrived': 'Es posible que el pagador ya tenga la solicitud: se envió y no llegó respuesta. Espere la respuesta y cancélela después.',
    finished: 'Este caso ya tiene su respuesta.',
    'nothing-pended': 'El pagador no está decidiendo nada en este caso.',
    'not-denied': 'La solicitud no fue denegada ni cancelada.',
    denied: 'Tras una denegación el pagador no acepta cambios. Haga una solicitud nueva.',
    'not-approved': 'El pagador no ha aprobado nada en este caso.',
    'decided-by-hand': 'La decisión se anotó a mano, así que el sistema del pagador no tiene ninguna solicitud que cambiar. Pida el cambio por la misma vía.',
    'not-sent': 'El pagador aún no tiene esta solicitud.',
    'nothing-asked-for': 'El pagador no ha pedido nada que siga abierto.',
  },
};
