import { describe, expect, it } from 'vitest';
import { LANGUAGES } from '../language.ts';
import type { LoweringChange, RiskSaying } from './denial-risk.ts';
import { sayChange, sayReason, saySaying } from './risk-words.ts';

const SAYINGS: readonly RiskSaying[] = [
  { code: 'criteria-none' }, { code: 'criteria-all-met', total: 1 }, { code: 'criteria-all-met', total: 3 }, { code: 'criteria-not-met', count: 1, total: 3 }, { code: 'criteria-unknown', count: 2, total: 3 },
  { code: 'evidence-none' }, { code: 'evidence-age', days: 12 }, { code: 'urgent' }, { code: 'routine' }, { code: 'age-unknown' }, { code: 'age', raises: true }, { code: 'age', raises: false },
  { code: 'diagnosis-named' }, { code: 'diagnosis-missing' }, { code: 'quantity-no-limit' }, { code: 'quantity-within' }, { code: 'quantity-over', ratio: 2.5 }, { code: 'requester-known' }, { code: 'requester-unknown' },
  { code: 'renewal' }, { code: 'no-renewal' }, { code: 'asked-again' }, { code: 'first-asked' },
  ...(['payer-history', 'service-history', 'specialty-history'] as const).flatMap((code) => [{ code, raises: true, rate: null, decisions: null }, { code, raises: true, rate: 0.2, decisions: 0 }, { code, raises: false, rate: 0.25, decisions: 40 }]),
];
const CHANGES: readonly LoweringChange[] = [{ code: 'document-criteria', count: 1 }, { code: 'document-criteria', count: 2 }, { code: 'newer-evidence', days: 30 }, { code: 'name-diagnosis' }, { code: 'within-limit' }, { code: 'name-requester' }];

describe('the words of a risk', () => {
  it('are one sentence for each code in each language, and no two alike', () => {
    const said = LANGUAGES.flatMap((language) => [...SAYINGS.map((says) => saySaying(says, language)), ...CHANGES.map((change) => sayChange(change, language))]);
    expect(new Set(said).size).toBe(said.length);
    for (const sentence of said) expect(sentence).toMatch(/^[A-ZÁÉÍÓÚ0-9].{8,}$/);
  });
  it('never say that the payer says, will, approves or denies this request', () => {
    for (const language of LANGUAGES) for (const says of SAYINGS) expect(saySaying(says, language)).not.toMatch(/payer (says|will|denies|approves)|pagador (dice|denegará|aprobará)|approved|aprobad/i);
  });
  it('count past decisions where any are on record, and never speak of any where there are none', () => {
    expect(saySaying({ code: 'payer-history', raises: true, rate: 0.248, decisions: 1 }, 'en')).toBe('Past decisions for this payer and kind of service raise it (about 25 in 100 denied, 1 decision)');
    expect(saySaying({ code: 'payer-history', raises: false, rate: 0.2, decisions: 0 }, 'es')).toBe('Aquí no constan decisiones anteriores para este pagador y tipo de servicio; promedios más amplios lo reducen');
    expect(saySaying({ code: 'payer-history', raises: true, rate: 0.25, decisions: 40, simulated: true }, 'en')).toMatch(/40 decisions, simulated\)$/);
    expect(saySaying({ code: 'service-history', raises: true, rate: null, decisions: null }, 'en')).toBe("The model's own averages for this kind of service raise it");
  });
  it('of a score from before the codes stay as they were stored', () => {
    expect(sayReason({ feature: 'criteria', text: 'As stored', contribution: 1 }, 'es')).toBe('As stored');
  });
});
