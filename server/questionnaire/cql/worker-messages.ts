import type { Resource } from '@medplum/fhirtypes';
import type { CompileResult, ElmLibrary } from './compile-cql.ts';

/** What the worker is asked. Everything is plain JSON. */
export type WorkerTask = { readonly kind: 'warm-up' } | CompileTask | CqlTask | FhirPathTask;

export interface CompileTask {
  readonly kind: 'compile';
  /** CQL text by library name. */
  readonly sources: Readonly<Record<string, string>>;
  /** Those to compile; the others are there to be included. */
  readonly wanted: readonly string[];
}

export interface CqlTask {
  readonly kind: 'cql';
  readonly elm: readonly ElmLibrary[];
  readonly defines: readonly { readonly library: string; readonly define: string }[];
  readonly patient: string;
  readonly resources: readonly Resource[];
  /** url -> codes. Every value set that the ELM names is here, missing ones left out. */
  readonly valueSets: Readonly<Record<string, readonly { readonly code: string; readonly system: string }[]>>;
  /** Launch resources by parameter name; only those that a library declares are bound, else by declared type. */
  readonly parameters: Readonly<Record<string, Resource | null>>;
  readonly nowMs: number;
}

export interface FhirPathTask {
  readonly kind: 'fhirpath';
  /** Outer frames before inner ones. */
  readonly frames: readonly FhirPathFrame[];
}

/** One element of the form, or one row of it: names of outer frames are visible, its own come first. */
export interface FhirPathFrame {
  /** Place of the outer frame in the list. */
  readonly outer?: number;
  readonly values: Readonly<Record<string, unknown>>;
  /** In the order of their dependencies; one that fails stays undefined. */
  readonly variables: readonly { readonly id: string; readonly name: string; readonly expression: string }[];
  readonly expressions: readonly { readonly id: string; readonly expression: string }[];
}

/** One result of a task, sent as soon as it is there, so that a time limit loses only what was not reached. */
export type WorkerResult =
  | { readonly kind: 'value'; readonly id: string; readonly values: readonly unknown[] }
  | { readonly kind: 'failed'; readonly id: string; readonly reason: 'runtime' | 'value-set-missing' | 'library-missing' | 'syntax' | 'time-limit' | 'memory-limit'; readonly locator?: string };

export type WorkerReply =
  | { readonly kind: 'started'; readonly id: string }
  | { readonly kind: 'result'; readonly result: WorkerResult }
  | { readonly kind: 'done' }
  | ({ readonly kind: 'compiled' } & CompileResult);

export function defineId({ library, define }: { readonly library: string; readonly define: string }): string {
  return `${library}|${define}`;
}
