import { createHash } from 'node:crypto';
import type { Expression } from '@medplum/fhirtypes';
import { isRecord } from '#prior-auth/questionnaire/answer-value.ts';
import type { ElmLibrary } from './compile-cql.ts';
import { definesOf, type PackageLibrary } from './read-libraries.ts';

/** DTR 2.0.1 takes the extension of the electronic case report, 2.2.0 has its own. */
const ALTERNATIVE_EXPRESSIONS = [
  'http://hl7.org/fhir/us/ecr/StructureDefinition/us-ph-alternative-expression-extension',
  'http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/alternativeExpression',
];
const RESULT = 'Result';

export interface InlineElm { readonly elm: ElmLibrary; readonly define: string }

/** The ELM that a payer sent beside CQL written into the form: a whole library, of which the last define counts, or one expression. */
export function alternativeElm(expression: Expression, libraries: readonly ElmLibrary[]): InlineElm | undefined {
  const alternatives = expression.extension?.map(({ url, valueExpression }) => (ALTERNATIVE_EXPRESSIONS.includes(url ?? '') ? valueExpression : undefined)) ?? [];
  const alternative = [expression, ...alternatives].find(isElmJson);
  if (!alternative?.expression) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(alternative.expression);
  } catch {
    return undefined;
  }
  const id = inlineName(alternative.expression);
  if (isRecord(parsed) && isRecord(parsed['library'])) {
    const elm: ElmLibrary = { library: { ...parsed['library'], identifier: { id, version: '1' } } };
    const define = definesOf(elm).findLast((name) => name !== 'Patient');
    return define === undefined ? undefined : { elm, define };
  }
  if (!isRecord(parsed) || !('type' in parsed)) return undefined;
  const patient = { type: 'SingletonFrom', operand: { type: 'Retrieve', dataType: '{http://hl7.org/fhir}Patient' } };
  return {
    define: RESULT,
    elm: {
      library: {
        identifier: { id, version: '1' },
        schemaIdentifier: { id: 'urn:hl7-org:elm', version: 'r1' },
        usings: { def: [{ localIdentifier: 'System', uri: 'urn:hl7-org:elm-types:r1' }, { localIdentifier: 'FHIR', uri: 'http://hl7.org/fhir', version: '4.0.1' }] },
        includes: { def: libraries.map(({ library: { identifier } }) => ({ localIdentifier: identifier.id, path: identifier.id, ...(identifier.version ? { version: identifier.version } : {}) })) },
        statements: { def: [{ name: 'Patient', context: 'Patient', expression: patient }, { name: RESULT, context: 'Patient', accessLevel: 'Public', expression: parsed }] },
      },
    },
  };
}

export interface InlineCql { readonly name: string; readonly text: string; readonly define: string }

/** CQL written into the form, as a library of its own that includes those of the package. */
export function inlineCql(expression: string, libraries: readonly PackageLibrary[]): InlineCql {
  const name = inlineName(expression);
  const included = libraries.flatMap((library) => (library.cql ? [`include ${quoted(library.name)} called ${quoted(library.name)}`] : []));
  const version = libraries.map(({ cql }) => /using\s+"?FHIR"?\s+version\s+'([\d.]+)'/.exec(cql ?? '')?.[1]).find(Boolean) ?? '4.0.1';
  return { name, define: RESULT, text: [`library ${name} version '1'`, `using FHIR version '${version}'`, ...included, 'context Patient', `define "${RESULT}": ${expression}`].join('\n') };
}

function isElmJson(expression: { readonly language?: string } | undefined): boolean {
  return expression?.language === 'application/elm+json';
}

function inlineName(text: string): string {
  return `InlineExpression_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll(/["\\]/g, '\\$&')}"`;
}
