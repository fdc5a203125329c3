import type { AppealOutlook } from '#prior-auth/learning/appeal-outlook.ts';
import type { RequestedService } from '#prior-auth/order/requested-service.ts';
import { calibrate } from '../calibration.ts';
import { levelOf, modelRow } from '../encode.ts';
import { marginOf } from '../forest.ts';
import { appealCategories } from './appeal-table.ts';
import { readLikening } from './like-cases.ts';
import { readShippedAppeals } from './shipped-appeals.ts';

/** The chance that an outside reviewer overturns the denial of a service; null when the order has no counterpart among the determinations. */
export type AppealOutlooks = (service: Pick<RequestedService, 'codings' | 'reasonCodes'>) => AppealOutlook | null;

/** Fewer determinations of a like estimate in the year kept apart say too little to be shown. */
const LEAST_CHECKED = 30;

/** Opens the shipped appeal model. Throws MODEL_UNAVAILABLE. */
export function openAppealOutlooks(folder?: string): AppealOutlooks {
  const { bundle: { file }, report } = readShippedAppeals(folder);
  const likened = readLikening();
  const year = report.years.at(-1) as (typeof report.years)[number];
  return (service) => {
    const like = likened(service);
    if (!like?.diagnosis || !like.treatment) return null;
    const categories = appealCategories(like);
    // A level too rare to be learnt is unknown to the model, as it was in training.
    const known = (field: string): string | null => {
      const level = categories[field] ?? null;
      const encoder = file.encoders.find(({ fields }) => fields.length === 1 && fields[0] === field);
      return level !== null && encoder && Object.hasOwn(encoder.levels, level) ? level : null;
    };
    const overturned = calibrate(file.calibration, marginOf(file.forest, modelRow(file, [], known)));
    const both = file.encoders.find(({ name }) => name === 'diagnosis_and_treatment');
    const level = both && levelOf(both.fields, known);
    const bin = year.reliability.find(({ from, to }) => overturned >= from && (overturned < to || to === 1));
    return {
      overturned,
      likenedTo: { diagnosis: like.diagnosis, treatment: like.treatment },
      likeCases: (level && both?.levels[level]?.count) || 0,
      learntFrom: { from: Number(file.trainedOn.from.slice(0, 4)), to: year.testYear - 1 },
      checked: bin && bin.count >= LEAST_CHECKED ? { year: year.testYear, count: bin.count, overturned: bin.observed.value, low: bin.observed.low, high: bin.observed.high } : null,
      areaUnderRoc: year.areaUnderRoc,
      modelVersion: file.version,
    };
  };
}
