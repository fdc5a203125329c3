import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import type { RequestedService } from '#prior-auth/order/requested-service.ts';
import type { appealCategories } from './appeal-table.ts';

const codes = z.array(z.string().regex(/^[A-Z0-9][A-Z0-9.[\]-]*$/));
const serviceMap = z.object({
  treatments: z.array(z.object({ codes, treatment: z.string(), detail: z.string() })),
  diagnoses: z.array(z.object({ codes, diagnosis: z.string(), detail: z.string() })),
});

/** What an order is likened to in the determinations, by its codes; undefined when its service or its diagnosis has no counterpart there. */
export type Likening = (service: Pick<RequestedService, 'codings' | 'reasonCodes'>) => Parameters<typeof appealCategories>[0] | undefined;

/** Reads service-map.json: codes there are beginnings, `[0-2]` one of several characters. */
export function readLikening(): Likening {
  const { treatments, diagnoses } = serviceMap.parse(JSON.parse(readFileSync(join(import.meta.dirname, 'service-map.json'), 'utf8')));
  const compiled = <T extends { readonly codes: readonly string[] }>(entries: readonly T[]) => entries.map((entry) => ({ entry, begins: new RegExp(`^(?:${entry.codes.map((code) => code.replaceAll('.', '\\.')).join('|')})`) }));
  const [byService, byDiagnosis] = [compiled(treatments), compiled(diagnoses)];
  const fitting = <T>(entries: readonly { readonly entry: T; readonly begins: RegExp }[], code: string): T | undefined => entries.find(({ begins }) => begins.test(code))?.entry;
  return ({ codings, reasonCodes }) => {
    const service = codings.filter(({ system }) => system === CODE_SYSTEMS.hcpcs || system === CODE_SYSTEMS.cpt).flatMap(({ code }) => fitting(byService, code) ?? [])[0];
    const reason = reasonCodes.filter(({ system }) => system === CODE_SYSTEMS.icd10cm).flatMap(({ code }) => fitting(byDiagnosis, code) ?? [])[0];
    // What a payer's own policy denies is a question of medical necessity; whether it calls the service experimental is not on the order.
    return service && reason && { diagnosis: reason.diagnosis, diagnosisDetail: reason.detail, treatment: service.treatment, treatmentDetail: service.detail, reviewType: 'Medical Necessity' };
  };
}
