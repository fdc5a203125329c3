import type { TrainingTable } from '../dataset.ts';
import { sha256 } from '../model-file.ts';
import type { ImrDetermination } from './imr-file.ts';

export const APPEAL_SOURCE = 'California DMHC, Independent Medical Review determinations ("DMHC IMR Data, 2001 - Current")';

type Described = Pick<ImrDetermination, 'diagnosis' | 'diagnosisDetail' | 'treatment' | 'treatmentDetail' | 'reviewType'>;

/** Fields and pairs of them that the model encodes. A level met fewer times than this where it learns is unknown to it: it would say little, and much of one person. */
const LEAST_LEVEL_ROWS = 11;

/** What the appeal model looks at. Age and sex are left out on purpose. */
export function appealCategories({ diagnosis, diagnosisDetail, treatment, treatmentDetail, reviewType }: Described): Readonly<Record<string, string | null>> {
  const detail = (category: string | null, within: string | null) => (category === null || within === null ? null : `${category} / ${within}`);
  const pair = (a: string | null, b: string | null) => (a === null || b === null ? null : `${a} × ${b}`);
  const fineDiagnosis = detail(diagnosis, diagnosisDetail);
  const fineTreatment = detail(treatment, treatmentDetail);
  return {
    diagnosis,
    diagnosis_detail: fineDiagnosis,
    treatment,
    treatment_detail: fineTreatment,
    review_type: reviewType,
    diagnosis_and_treatment: pair(diagnosis, treatment),
    detail_of_both: pair(fineDiagnosis, fineTreatment),
    treatment_and_review_type: pair(fineTreatment ?? treatment, reviewType),
  };
}

/** Midnight UTC of a report year; the file tells no day. */
export const startOfYear = (year: number): number => Date.UTC(year, 0, 1);

/** Determinations in the order of their years. `learnBefore`: only levels frequent enough in the earlier years are kept. */
export function appealTable(determinations: readonly ImrDetermination[], learnBefore: number): TrainingTable {
  const ordered = [...determinations].sort((a, b) => a.year - b.year || (a.reference < b.reference ? -1 : 1));
  const described = ordered.map(appealCategories);
  const fields = Object.keys(described[0] ?? {});
  const categories = Object.fromEntries(fields.map((field) => {
    const counts = new Map<string, number>();
    ordered.forEach(({ year }, row) => {
      const level = described[row]?.[field];
      if (level && year < learnBefore) counts.set(level, (counts.get(level) ?? 0) + 1);
    });
    return [field, described.map((each) => {
      const level = each[field] ?? null;
      return level !== null && (counts.get(level) ?? 0) >= LEAST_LEVEL_ROWS ? level : null;
    })];
  }));
  return {
    features: [],
    rows: new Float32Array(0),
    labels: Uint8Array.from(ordered, ({ overturned }) => Number(overturned)),
    times: Float64Array.from(ordered, ({ year }) => startOfYear(year)),
    categories,
    groups: { sex: ordered.map(({ sex }) => sex), age: ordered.map(({ age }) => age) },
    rowIds: ordered.map(({ reference }) => sha256(`imr ${reference}`).slice(0, 32)),
    simulated: false,
    source: APPEAL_SOURCE,
  };
}
