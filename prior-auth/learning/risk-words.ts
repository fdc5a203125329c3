import type { Language } from '../language.ts';
import type { DenialRiskReason, LoweringChange, RiskSaying } from './denial-risk.ts';

/* The words of a denial-risk score, the same on every screen and card. They say what is estimated, never what a payer says. */

/** A reason in plain words; in the words it was stored with where it has no code. */
export function sayReason(reason: DenialRiskReason, language: Language): string {
  return reason.says ? saySaying(reason.says, language) : reason.text;
}

export function saySaying(says: RiskSaying, language: Language): string {
  return WORDS[language].reason(says);
}

/** What a person can do, as a request. */
export function sayChange(change: LoweringChange, language: Language): string {
  return WORDS[language].change(change);
}

interface RiskWords {
  readonly reason: (says: RiskSaying) => string;
  readonly change: (change: LoweringChange) => string;
}

const inHundred = (rate: number): number => Math.round(rate * 100);

const en: RiskWords = {
  reason(says) {
    switch (says.code) {
      case 'criteria-none': return 'No criteria of the payer are known for this order';
      case 'criteria-all-met': return says.total === 1 ? 'The payer criterion is met by the record' : `All ${says.total} payer criteria met by the record`;
      case 'criteria-not-met': return `${says.count} of ${says.total} payer criteria not met by the record`;
      case 'criteria-unknown': return `${says.count} of ${says.total} payer criteria not found in the record`;
      case 'evidence-none': return 'No dated evidence found for the criteria';
      case 'evidence-age': return `Newest evidence is ${says.days} days old`;
      case 'urgent': return 'Ordered as urgent';
      case 'routine': return 'Ordered as routine';
      case 'age-unknown': return 'Age not on record';
      case 'age': return `The patient's age ${says.raises ? 'raises' : 'lowers'} it slightly`;
      case 'diagnosis-named': return 'The order names a diagnosis';
      case 'diagnosis-missing': return 'The order names no diagnosis';
      case 'quantity-no-limit': return 'No quantity limit applies';
      case 'quantity-within': return 'The quantity is within the policy’s limit';
      case 'quantity-over': return `Asks for ${says.ratio.toFixed(1)} times what the policy grants at first`;
      case 'requester-known': return 'The ordering clinician is identified';
      case 'requester-unknown': return 'The ordering clinician is not identified';
      case 'renewal': return 'Takes up an authorization that runs out';
      case 'no-renewal': return 'No earlier authorization is taken up';
      case 'asked-again': return 'The same order was denied before';
      case 'first-asked': return 'The order was not denied before';
      case 'payer-history':
      case 'service-history':
      case 'specialty-history': {
        const about = { 'payer-history': 'this payer and kind of service', 'service-history': 'this kind of service', 'specialty-history': 'orders of this specialty' }[says.code];
        const moves = says.raises ? 'raise' : 'lower';
        if (says.decisions === null || says.rate === null) return `The model's own averages for ${about} ${moves} it`;
        if (says.decisions < 1) return `No past decisions for ${about} are on record here; wider averages ${moves} it`;
        return `Past decisions for ${about} ${moves} it (about ${inHundred(says.rate)} in 100 denied, ${says.decisions} ${says.decisions === 1 ? 'decision' : 'decisions'}${says.simulated ? ', simulated' : ''})`;
      }
    }
  },
  change(change) {
    switch (change.code) {
      case 'document-criteria': return change.count === 1 ? 'Document the criterion that is not found in the record, if the patient meets it' : `Document the ${change.count} criteria that are not found in the record, if the patient meets them`;
      case 'newer-evidence': return `Add evidence for the criteria from the last ${change.days} days`;
      case 'name-diagnosis': return 'Name the diagnosis on the order';
      case 'within-limit': return 'Ask for no more than the policy grants at first';
      case 'name-requester': return 'Name the ordering clinician on the order';
    }
  },
};

const es: RiskWords = {
  reason(says) {
    switch (says.code) {
      case 'criteria-none': return 'No se conocen criterios del pagador para esta orden';
      case 'criteria-all-met': return says.total === 1 ? 'La historia clínica cumple el criterio del pagador' : `La historia clínica cumple los ${says.total} criterios del pagador`;
      case 'criteria-not-met': return `${says.count} de ${says.total} criterios del pagador no se cumplen según la historia clínica`;
      case 'criteria-unknown': return `${says.count} de ${says.total} criterios del pagador no se encuentran en la historia clínica`;
      case 'evidence-none': return 'No se encontraron pruebas con fecha para los criterios';
      case 'evidence-age': return `La prueba más reciente tiene ${says.days} días`;
      case 'urgent': return 'Ordenado como urgente';
      case 'routine': return 'Ordenado como rutinario';
      case 'age-unknown': return 'La edad no consta';
      case 'age': return `La edad del paciente lo ${says.raises ? 'aumenta' : 'reduce'} ligeramente`;
      case 'diagnosis-named': return 'La orden indica un diagnóstico';
      case 'diagnosis-missing': return 'La orden no indica ningún diagnóstico';
      case 'quantity-no-limit': return 'No se aplica ningún límite de cantidad';
      case 'quantity-within': return 'La cantidad está dentro del límite de la póliza';
      case 'quantity-over': return `Pide ${says.ratio.toFixed(1)} veces lo que la póliza concede al principio`;
      case 'requester-known': return 'Consta quién ordena';
      case 'requester-unknown': return 'No consta quién ordena';
      case 'renewal': return 'Continúa una autorización que vence';
      case 'no-renewal': return 'No continúa ninguna autorización anterior';
      case 'asked-again': return 'La misma orden se denegó antes';
      case 'first-asked': return 'La orden no se denegó antes';
      case 'payer-history':
      case 'service-history':
      case 'specialty-history': {
        const about = { 'payer-history': 'este pagador y tipo de servicio', 'service-history': 'este tipo de servicio', 'specialty-history': 'órdenes de esta especialidad' }[says.code];
        const moves = says.raises ? 'aumentan' : 'reducen';
        if (says.decisions === null || says.rate === null) return `Los promedios del propio modelo para ${about} lo ${moves}`;
        if (says.decisions < 1) return `Aquí no constan decisiones anteriores para ${about}; promedios más amplios lo ${moves}`;
        return `Las decisiones anteriores para ${about} lo ${moves} (unas ${inHundred(says.rate)} de cada 100 denegadas, ${says.decisions} ${says.decisions === 1 ? 'decisión' : 'decisiones'}${says.simulated ? ', simuladas' : ''})`;
      }
    }
  },
  change(change) {
    switch (change.code) {
      case 'document-criteria': return change.count === 1 ? 'Documente el criterio que no se encuentra en la historia clínica, si el paciente lo cumple' : `Documente los ${change.count} criterios que no se encuentran en la historia clínica, si el paciente los cumple`;
      case 'newer-evidence': return `Añada pruebas de los criterios de los últimos ${change.days} días`;
      case 'name-diagnosis': return 'Indique el diagnóstico en la orden';
      case 'within-limit': return 'Pida como mucho lo que la póliza concede al principio';
      case 'name-requester': return 'Indique en la orden quién ordena';
    }
  },
};

const WORDS: { readonly [L in Language]: RiskWords } = { en, es };
