import type { featureNames as english, groupNames as englishGroups, thresholds as englishThresholds } from './names-en.ts';

export const featureNames: typeof english = {
  criteria_met_count: 'Criterios cumplidos',
  criteria_not_met_count: 'Criterios no cumplidos',
  criteria_unknown_count: 'Criterios no hallados en el expediente',
  criteria_met_share: 'Proporción de criterios cumplidos',
  evidence_count: 'Pruebas',
  newest_evidence_age_days: 'Antigüedad de la prueba más reciente, días',
  urgent_flag: 'Urgente',
  patient_age_band_years: 'Grupo de edad del paciente, primer año',
  has_reason_code_flag: 'Tiene código de motivo',
  reason_code_count: 'Códigos de motivo',
  quantity_to_limit_ratio: 'Cantidad respecto al límite de la póliza',
  requester_known_flag: 'Solicitante conocido',
  renewal_flag: 'Renovación',
  asked_again_flag: 'Pedido otra vez tras una denegación',
  payer_denial_rate: 'Denegaciones anteriores del pagador',
  payer_decision_count: 'Decisiones anteriores del pagador',
  payer_decision_days: 'Días que tardó el pagador',
  service_family_denial_rate: 'Denegaciones anteriores de la familia de servicios',
  service_family_decision_count: 'Decisiones anteriores de la familia de servicios',
  payer_service_family_denial_rate: 'Denegaciones anteriores de pagador y familia',
  payer_service_family_decision_count: 'Decisiones anteriores de pagador y familia',
  procedure_denial_rate: 'Denegaciones anteriores del procedimiento',
  procedure_decision_count: 'Decisiones anteriores del procedimiento',
  procedure_decision_days: 'Días para el procedimiento',
  specialty_denial_rate: 'Denegaciones anteriores de la especialidad',
  specialty_decision_count: 'Decisiones anteriores de la especialidad',
  payer_procedure_denial_rate: 'Denegaciones anteriores de pagador y procedimiento',
  payer_procedure_decision_count: 'Decisiones anteriores de pagador y procedimiento',
  payer_procedure_decision_days: 'Días del pagador para el procedimiento',
};

export const groupNames: typeof englishGroups = { patient_age: 'Edad del paciente', patient_sex: 'Sexo del paciente', payer: 'Pagador', service_family: 'Familia de servicios' };

export const thresholds: typeof englishThresholds = {
  'input-drift': { name: 'Deriva de las entradas', reason: 'Un índice de estabilidad poblacional superior a 0,2 suele leerse como una población distinta. Con menos de 200 valores conocidos el azar se acerca a ello.' },
  'score-drift': { name: 'Deriva de las puntuaciones', reason: 'Como en las entradas: se pregunta al modelo por pedidos distintos de los de su prueba.' },
  'label-drift': { name: 'Deriva de las decisiones', reason: 'Los pagadores deniegan 10 puntos porcentuales más o menos que en la prueba del modelo, y el intervalo excluye la proporción anterior.' },
  'calibration-error': { name: 'Error de calibración', reason: 'Un riesgo mostrado del 30 % debería cumplirse en 25 a 35 de cada 100. Se descuenta lo que daría el azar con ese número de filas.' },
  'auc-fall': { name: 'Caída del área bajo la curva ROC', reason: 'Está 0,05 por debajo de la prueba del propio modelo, más de lo que explica el azar.' },
  'parity-gap': { name: 'Paridad demográfica', reason: 'La proporción con riesgo alto difiere en más de 20 puntos entre dos grupos de personas, con todo el intervalo. La diferencia puede ser de los pagadores: lo juzga una persona.' },
  'odds-gap': { name: 'Igualdad de aciertos y errores', reason: 'Las denegaciones se reconocen, o las aprobaciones se señalan por error, 20 puntos más en un grupo que en otro, con todo el intervalo.' },
  'unknown-share-rise': { name: 'Más valores desconocidos', reason: 'Un campo que antes traía el expediente falta ahora en 20 pedidos más de cada 100: casi siempre cambió una interfaz.' },
  'latency-p99-ms': { name: 'Tiempo de una puntuación, ms (99 %)', reason: 'El tiempo prometido para una puntuación con sus motivos.' },
};
