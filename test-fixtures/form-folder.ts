import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Questionnaire, QuestionnaireItem } from '@medplum/fhirtypes';

const BASE = 'https://payer.openpriorauth.org/fhir';
const SHIPPED = join(import.meta.dirname, '../payer/questionnaires');
const CQF_LIBRARY = 'http://hl7.org/fhir/StructureDefinition/cqf-library';
const INITIAL = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-initialExpression';

/** The shipped forms and some that no payer should ship: past their time, incomplete, very long, all CQL. In a folder of its own, as the payer reads it. */
export function writeFormFolder(more: { readonly forms?: readonly Questionnaire[]; readonly adaptive?: readonly object[] } = {}): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'forms-'));
  for (const part of ['forms', 'adaptive', 'value-sets', 'cql', 'elm']) cpSync(join(SHIPPED, part), join(folder, part), { recursive: true });
  mkdirSync(join(folder, 'adaptive'), { recursive: true });
  for (const form of [EXPIRED, INCOMPLETE, longForm(200), cqlForm(30), ...(more.forms ?? [])]) writeFileSync(join(folder, 'forms', `${form.id}-extra.json`), JSON.stringify(form));
  for (const [index, form] of (more.adaptive ?? []).entries()) writeFileSync(join(folder, 'adaptive', `extra-${index}.json`), JSON.stringify(form));
  writeFileSync(join(folder, 'cql', 'ManyQuestions.cql'), manyDefines(30));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function form(id: string, facts: Partial<Questionnaire>): Questionnaire {
  return {
    resourceType: 'Questionnaire', id, url: `${BASE}/Questionnaire/${id}`, version: '1.0.0', name: id.replaceAll('-', '_'), title: id, status: 'active', subjectType: ['Patient'], date: '2026-01-15',
    meta: { profile: ['http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/dtr-std-questionnaire'] }, text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${id}</div>` }, item: [{ linkId: 'q', text: 'A question', type: 'string' }], ...facts,
  };
}

/** Takes the place of the shipped form for home oxygen when that is asked for by an older version. */
const EXPIRED = form('home-oxygen', { version: '0.9.0', effectivePeriod: { start: '2024-01-01', end: '2025-12-31' } });

const INCOMPLETE = form('incomplete', {
  extension: [{ url: CQF_LIBRARY, valueCanonical: `${BASE}/Library/NotHere|1.0.0` }],
  item: [{ linkId: 'q', text: 'A question', type: 'choice', answerValueSet: `${BASE}/ValueSet/not-here|1.0.0` }],
});

function longForm(count: number): Questionnaire {
  const question = (index: number): QuestionnaireItem => ({ linkId: `q${index}`, text: `Question ${index + 1}`, type: (['string', 'boolean', 'date', 'integer'] as const)[index % 4] ?? 'string', required: index % 5 === 0 });
  return form('long-form', { item: Array.from({ length: count / 20 }, (_, group) => ({ linkId: `g${group}`, text: `Part ${group + 1}`, type: 'group', item: Array.from({ length: 20 }, (__, index) => question(group * 20 + index)) })) });
}

/** Every question is filled by a define of one library that goes out as CQL alone. */
function cqlForm(count: number): Questionnaire {
  return form('many-questions', {
    extension: [{ url: CQF_LIBRARY, valueCanonical: `${BASE}/Library/ManyQuestions|1.0.0` }],
    item: Array.from({ length: count }, (_, index) => ({ extension: [{ url: INITIAL, valueExpression: { language: 'text/cql' as const, expression: `"ManyQuestions"."Question ${index + 1}"` } }], linkId: `q${index + 1}`, text: `Question ${index + 1}`, type: 'integer' as const })),
  });
}

function manyDefines(count: number): string {
  const type = (index: number) => ['Condition', 'Observation', 'Procedure', 'MedicationRequest', 'Encounter'][index % 5];
  const defines = Array.from({ length: count }, (_, index) => `define "Question ${index + 1}":\n  Count([${type(index)}]) + ${index}\n`);
  return `library ManyQuestions version '1.0.0'\n// Last changed 2026-01-15\n\nusing FHIR version '4.0.1'\n\ncontext Patient\n\n${defines.join('\n')}`;
}
