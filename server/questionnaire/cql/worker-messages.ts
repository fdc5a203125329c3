import type { Resource } from '@medplum/fhirtypes';
import type { CompileMode, ElmLibrary } from './compile-cql.ts';

/** What the worker is asked. Everything is plain JSON; the worker has no environment and no use of the network. */
export type WorkerTask =
  | { readonly kind: 'warm-up' }
  | { readonly kind: 'compile'; readonly sources: Readonly<Record<string, string>> }
  | CqlTask
  | FhirPathTask;

export interface CqlTask {
  readonly kind: 'cql';
  readonly elm: readonly ElmLibrary[];
  readonly defines: readonly { readonly library: string; readonly define: string }[];
  readonly patient: string;
  readonly resources: readonly Resource[];
  /** url -> codes. Every value set that the ELM names is here, missing ones left out. */
  readonly valueSets: Readonly<Record<string, readonly { readonly code: string; readonly system: string }[]>>;
  /** Launch resources by parameter name; only those that a library declares are bound. */
  readonly parameters: Readonly<Record<string, Resource | null>>;
  readonly nowMs: number;
}

export interface FhirPathTask {
  readonly kind: 'fhirpath';
  readonly expressions: readonly { readonly id: string; readonly expression: string; readonly name?: string }[];
  readonly variables: Readonly<Record<string, unknown>>;
}

/** One result of a task, sent as soon as it is there, so that a time limit loses only what was not reached. */
export type WorkerResult =
  | { readonly kind: 'value'; readonly id: string; readonly values: readonly unknown[] }
  | { readonly kind: 'failed'; readonly id: string; readonly reason: 'runtime' | 'value-set-missing' | 'library-missing' | 'syntax'; readonly locator?: string };

export type WorkerReply =
  | { readonly kind: 'started'; readonly id: string }
  | { readonly kind: 'result'; readonly result: WorkerResult }
  | { readonly kind: 'done' }
  | { readonly kind: 'compiled'; readonly mode: CompileMode; readonly elm: Readonly<Record<string, ElmLibrary>> }
  | { readonly kind: 'refused'; readonly library: string; readonly messages: readonly string[] };

export function defineId({ library, define }: { readonly library: string; readonly define: string }): string {
  return `${library}|${define}`;
}
