import type { PriorAuthErrorCode } from '#prior-auth/errors.ts';
import type { FailureText, SharedWords } from './en.ts';
import { many } from './many.ts';

/** Every fault of the server, because its own words are English. */
const failures: Readonly<Record<PriorAuthErrorCode | 'INTERNAL' | 'NOT_REACHED' | 'ANSWER_UNREADABLE', FailureText>> = {
  CASE_NOT_FOUND: { message: 'Este caso no existe aquí.', nextStep: 'Vuelva a la lista de trabajo.' },
  CASE_CONFLICT: { message: 'Otra persona cambió esto entretanto.', nextStep: 'Cargue la versión más reciente y repita.' },
  CASE_STEP_NOT_ALLOWED: { message: 'El caso no permite este paso en su estado actual.', nextStep: 'Complete primero los formularios del pagador o cargue el caso de nuevo.' },
  ORDER_NOT_FOUND: { message: 'La orden no se encuentra en la historia clínica.', nextStep: 'Abra el panel desde la propia orden; compruebe que no se haya cancelado.' },
  ORDER_UNREADABLE: { message: 'Esta orden no puede usarse para una autorización.', nextStep: 'Firme la orden de nuevo para preguntar al pagador y abra el panel desde la historia correcta.' },
  COVERAGE_NOT_FOUND: { message: 'La cobertura por la que respondió el pagador no está en la historia clínica.', nextStep: 'Compruebe el seguro del paciente y firme la orden de nuevo.' },
  PAYER_NOT_CONFIGURED: { message: 'El pagador de esta cobertura no está configurado aquí.', nextStep: 'Pida a su administrador que añada el pagador.' },
  FORM_NOT_FOUND: { message: 'El caso no tiene ese formulario o el pagador ahora pide otros.', nextStep: 'Cargue el panel de nuevo.' },
  FORM_CHANGED: { message: 'Otra persona cambió este formulario entretanto.', nextStep: 'Mire los cambios y decida cuáles valen.' },
  HAND_OVER_NOT_FOUND: { message: 'Este caso no está en manos de nadie.', nextStep: 'Cargue el caso de nuevo.' },
  QUESTIONNAIRE_UNAVAILABLE: { message: 'El pagador nombró un formulario, pero no lo envió.', nextStep: 'Inténtelo de nuevo en un momento o llame al pagador.' },
  QUESTIONNAIRE_INCOMPLETE: { message: 'Faltan respuestas necesarias o algunas no son válidas.', nextStep: 'Conteste las preguntas marcadas.' },
  POPULATION_FAILED: { message: 'El formulario no pudo rellenarse desde la historia clínica.', nextStep: 'Inténtelo de nuevo o rellénelo a mano.' },
  PAS_BUNDLE_INCOMPLETE: { message: 'A la historia clínica le falta algo que toda solicitud necesita.', nextStep: 'Haga lo que dice cada problema y envíe de nuevo.' },
  PAS_BUNDLE_INVALID: { message: 'La solicitud no cumple los perfiles y no se envió.', nextStep: 'Corrija en la historia clínica lo que se nombra. Si es correcto allí, avise a soporte.' },
  PAYER_REFUSED: { message: 'El pagador devolvió un error que no se arregla repitiendo.', nextStep: 'Lea las palabras del pagador, corrija y envíe de nuevo, o llame al pagador.' },
  PAYER_UNAVAILABLE: { message: 'No se puede contactar con el pagador.', nextStep: 'Espere: los envíos se repiten por sí solos.' },
  PAYER_ANSWER_UNREADABLE: { message: 'La respuesta del pagador no se puede leer.', nextStep: 'Llame al pagador y pida la decisión.' },
  EHR_UNAVAILABLE: { message: 'La historia clínica no contestó a tiempo.', nextStep: 'Inténtelo de nuevo en un minuto; no se pierde nada.' },
  EHR_REFUSED: { message: 'La historia clínica no permite a esta aplicación lo que necesita.', nextStep: 'Consulte a quien administra la historia clínica.' },
  SOURCE_NOT_FOUND: { message: 'La historia clínica no tiene esta entrada.', nextStep: 'Mire en la historia: puede haberse corregido o retirado.' },
  SESSION_EXPIRED: { message: 'La sesión ha terminado.', nextStep: 'Abra el panel de nuevo desde la historia clínica. Lo guardado se conserva.' },
  LAUNCH_REFUSED: { message: 'El inicio fue rechazado.', nextStep: 'Abra de nuevo desde la historia clínica.' },
  REQUEST_INVALID: { message: 'El servidor no aceptó esto.', nextStep: 'Compruebe lo que escribió o cargue la pantalla de nuevo.' },
  MODEL_UNAVAILABLE: { message: 'El modelo de riesgo de denegación no está disponible.', nextStep: 'Avise a soporte.' },
  INTERNAL: { message: 'El servidor tuvo un problema.', nextStep: 'Inténtelo de nuevo en un minuto. Si continúa, dé a soporte el código de error.' },
  NOT_REACHED: { message: 'No se pudo contactar con el servidor.', nextStep: 'Compruebe la conexión y vuelva a intentarlo. Nada de lo escrito se pierde mientras esta página siga abierta.' },
  ANSWER_UNREADABLE: { message: 'La respuesta del servidor no se puede leer.', nextStep: 'Inténtelo de nuevo en un minuto.' },
};

/** What stops a request, and what the sandbox EHR refuses; a code that is not here keeps its English words. */
const others: Readonly<Record<string, FailureText>> = {
  MEMBER_ID_MISSING: { message: 'Ni la cobertura ni la historia tienen un número de afiliado.', nextStep: 'Anote en la cobertura el número de la tarjeta del seguro.' },
  PATIENT_NAME_MISSING: { message: 'Falta el nombre del paciente o del titular del seguro.', nextStep: 'Complete el nombre en la historia clínica.' },
  COVERAGE_NOT_ACTIVE: { message: 'La cobertura de la orden no está activa.', nextStep: 'Elija la cobertura activa o corrija su estado.' },
  SERVICE_CODE_MISSING: { message: 'La orden no tiene código HCPCS, CPT, NDC ni ICD-10-PCS.', nextStep: 'Dé a la orden un código de facturación.' },
  DIAGNOSIS_NOT_ICD10CM: { message: 'El motivo de la orden no tiene código ICD-10-CM, y los pagadores no aceptan otro.', nextStep: 'Elija o escriba aquí el código ICD-10-CM, o codifique el diagnóstico en la historia clínica.' },
  ORDER_NOT_ACTIVE: { message: 'La orden está anulada o suspendida en la historia clínica.', nextStep: 'Firme una orden nueva o quite esta de la solicitud.' },
  ORDER_DATE_MISSING: { message: 'La orden no tiene fecha.', nextStep: 'Complete la fecha de la orden.' },
  ORDER_TYPE_NOT_SUPPORTED: { message: 'No hay lugar para este tipo de orden en una solicitud.', nextStep: 'Pida la autorización en el portal del pagador.' },
  CLINICIAN_IDENTIFIER_MISSING: { message: 'El profesional que ordena no tiene un identificador válido.', nextStep: 'Añada su NPI (diez cifras) en la historia clínica.' },
  CLINICIAN_NAME_MISSING: { message: 'El profesional que ordena no tiene apellido.', nextStep: 'Complete su nombre en la historia clínica.' },
  CLINIC_IDENTIFIER_MISSING: { message: 'La clínica no tiene NPI.', nextStep: 'Pida a su administrador que lo añada a la configuración.' },
  FORM_NOT_COMPLETED: { message: 'Un formulario del pagador no está completado.', nextStep: 'Complételo en este panel.' },
  EVIDENCE_OF_OTHER_PATIENT: { message: 'La orden o un formulario hace referencia a la historia de otro paciente.', nextStep: 'Corrija la referencia.' },
  NOT_SIGNED_IN: { message: 'No ha iniciado sesión.', nextStep: 'Inicie sesión.' },
  PATIENT_NOT_FOUND: { message: 'No existe este paciente.', nextStep: 'Busque de nuevo en la lista.' },
  ORDER_NOT_SIGNABLE: { message: 'La orden ya está completada, revocada o terminada.', nextStep: 'Escriba una orden nueva.' },
  ORDER_CHANGED: { message: 'La orden cambió mientras se firmaba.', nextStep: 'Mírela de nuevo y fírmela.' },
  FEEDBACK_NOT_TAKEN: { message: 'El servicio del pagador no tomó la opinión.', nextStep: 'No se pierde nada para el paciente; inténtelo más tarde.' },
};

export const es: SharedWords = {
  shared: {
    loading: 'Cargando',
    retry: 'Intentar de nuevo',
    close: 'Cerrar',
    unknown: 'Desconocido',
    lightMode: 'Usar colores claros',
    darkMode: 'Usar colores oscuros',
    signOut: 'Cerrar sesión',
    errorCode: 'Código de error',
  },
  toneWords: {
    good: 'Aprobada',
    mixed: 'Aprobada en parte o con cambios',
    bad: 'No aprobada',
    waiting: 'En espera',
    unknown: 'Desconocido',
  },
  stateWords: {
    'no-authorization-needed': 'No necesita autorización',
    questionnaire: 'Preguntas abiertas',
    ready: 'Lista para enviar',
    queued: 'Enviándose',
    held: 'Retenida',
    pended: 'El pagador la revisa',
    decided: 'Decidida',
    refused: 'No aceptada',
    cancelled: 'Cancelada',
    manual: 'Tramitada a mano',
  },
  timeLeftWords: (left) => {
    if (left.kind === 'unknown') return 'Plazo desconocido';
    if (left.kind === 'stopped') return left.late ? 'Contestada fuera de plazo' : 'Contestada a tiempo';
    const unit = { day: 'día', hour: 'hora', minute: 'minuto' }[left.unit];
    const amount = many(left.count, unit, `${unit}s`);
    return left.kind === 'overdue' ? `Vencida hace ${amount}` : `${left.count === 1 ? 'Queda' : 'Quedan'} ${amount}`;
  },
  byStatus: (status) => {
    if (status === 0) return failures.NOT_REACHED;
    if (status === 401) return { message: 'La sesión ha terminado.', nextStep: 'Inicie sesión de nuevo.' };
    if (status === 403) return { message: 'No tiene permiso para esto.', nextStep: 'Pida acceso a su administrador.' };
    if (status === 404) return { message: 'No se encontró.', nextStep: 'Puede haberse retirado. Vuelva atrás y elija de nuevo.' };
    if (status === 409) return failures.CASE_CONFLICT;
    if (status === 413) return { message: 'Lo enviado es demasiado grande.', nextStep: 'Acorte los textos más largos e inténtelo de nuevo.' };
    if (status === 429) return { message: 'Demasiadas solicitudes en poco tiempo.', nextStep: 'Espere un minuto e inténtelo de nuevo.' };
    if (status >= 500) return failures.INTERNAL;
    return failures.REQUEST_INVALID;
  },
  byCode: (code) => new Map(Object.entries({ ...others, ...failures })).get(code),
  ageWords: (years) => many(years, 'año', 'años'),
  problemWords: (code, { min, max, minLength, maxLength, maxDecimalPlaces, minOccurs, maxOccurs }) => {
    const between = (least: number | string | undefined, most: number | string | undefined): string =>
      [least === undefined ? '' : `al menos ${least}`, most === undefined ? '' : `como máximo ${most}`].filter(Boolean).join(' y ');
    switch (code) {
      case 'type': return 'Dé una respuesta del tipo que se pide.';
      case 'range': return `Valor permitido: ${between(min, max)}.`;
      case 'length': return `Caracteres: ${between(minLength, maxLength)}.`;
      case 'pattern': return 'No tiene la forma que pide el pagador.';
      case 'decimal-places': return `Como máximo ${maxDecimalPlaces ?? 0} cifras después del punto.`;
      case 'not-an-option': return 'Elija una de las opciones.';
      case 'unit': return 'Elija una de las unidades.';
      case 'occurs': return `Respuestas: ${between(minOccurs, maxOccurs)}.`;
      case 'reference-type': return 'La referencia es de un tipo que no se admite aquí.';
      case 'oscillation': return 'El formulario del pagador se contradice: sus valores calculados no se estabilizan. Compruébelos antes de enviar.';
      case 'file-type': return 'El archivo no es de un tipo que se admite aquí.';
      case 'file-size': return 'El archivo es demasiado grande.';
      case 'unfilled': return 'El formulario del pagador quiere rellenar esto él mismo, y no se encontró nada.';
      // The payer's own words for its rule.
      case 'constraint':
      case 'expression': return undefined;
    }
  },
};
