import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { z } from 'zod';
import { canonicalCodeSystem } from '#fhir/base/code-systems.ts';
import type { FormLibrary, PayerForm } from '../questionnaires/form-library.ts';
import type { PackageRequest } from './package-request.ts';

const PolicyForms = z.object({
  revisions: z.array(z.object({
    effectiveFrom: z.iso.date(),
    effectiveTo: z.iso.date().optional(),
    services: z.array(z.object({ system: z.string(), codes: z.array(z.string()) })),
    questionnaires: z.array(z.string()),
  })),
});

export type FormsByService = (coding: { readonly system: string; readonly code: string }, day: string) => readonly string[];

/** Which questionnaires the policies in force on a day ask for a service. */
export function readFormsByService(policyFolder: string): FormsByService {
  const revisions = readdirSync(policyFolder).filter((file) => file.endsWith('.json')).flatMap((file) => {
    const parsed = PolicyForms.safeParse(JSON.parse(readFileSync(join(policyFolder, file), 'utf8')));
    if (!parsed.success) throw new Error(`The policy file ${file} cannot be used: ${z.prettifyError(parsed.error)}`);
    return parsed.data.revisions;
  });
  return ({ system, code }, day) => revisions
    .filter(({ effectiveFrom, effectiveTo }) => effectiveFrom <= day && (effectiveTo === undefined || day <= effectiveTo))
    .filter(({ services }) => services.some((service) => service.system === system && service.codes.includes(code)))
    .flatMap(({ questionnaires }) => questionnaires);
}

export interface ChosenForms {
  readonly forms: readonly PayerForm[];
  /** Canonicals that were asked for by name and are not here. */
  readonly unknown: readonly string[];
}

/** Named questionnaires win; else those that the policies ask for the codes of the orders. Each form once. */
export function chooseForms(request: PackageRequest, library: FormLibrary, byService: FormsByService, day: string): ChosenForms {
  const wanted = request.questionnaires.length > 0 ? request.questionnaires : request.orders.flatMap(codingsOf).flatMap((coding) => byService(coding, day));
  const found = [...new Set(wanted)].map((canonical) => ({ canonical, form: library.find(canonical) }));
  return {
    forms: [...new Set(found.flatMap(({ form }) => (form ? [form] : [])))],
    unknown: found.filter(({ form }) => !form).map(({ canonical }) => canonical),
  };
}

function codingsOf(order: Resource): { system: string; code: string }[] {
  const concepts = [read(order, 'code'), read(order, 'codeCodeableConcept'), read(order, 'medicationCodeableConcept'), read(order, 'itemCodeableConcept')];
  return concepts.flatMap((concept) => {
    const codings = read(concept, 'coding');
    return (Array.isArray(codings) ? codings : []).flatMap((coding: unknown) => {
      const [system, code] = [read(coding, 'system'), read(coding, 'code')];
      return typeof system === 'string' && typeof code === 'string' ? [{ system: canonicalCodeSystem(system), code: code.trim() }] : [];
    });
  });
}

function read(from: unknown, key: string): unknown {
  return typeof from === 'object' && from !== null && key in from ? (from as Record<string, unknown>)[key] : undefined;
}
