import type { Coding, Resource } from '@medplum/fhirtypes';

/* What CDS Hooks 2.0 §2.4 sends back. Only what this service may send is named. */

export interface Action {
  readonly type: 'create' | 'update' | 'delete';
  /** Mandatory in every version we send, on system actions too. */
  readonly description: string;
  readonly resource?: Resource;
  /** Of a delete: "Type/id". */
  readonly resourceId?: string;
  readonly extension?: Readonly<Record<string, unknown>>;
}

export interface Suggestion {
  readonly label: string;
  readonly uuid: string;
  readonly isRecommended?: boolean;
  readonly actions: readonly Action[];
}

export interface Link {
  readonly label: string;
  readonly url: string;
  readonly type: 'absolute' | 'smart';
  readonly appContext?: string;
}

export type Topic = Required<Pick<Coding, 'system' | 'code'>> & Pick<Coding, 'display'>;

export interface Card {
  readonly uuid: string;
  /** Fewer than 140 characters. */
  readonly summary: string;
  readonly detail: string;
  readonly indicator: 'info' | 'warning' | 'critical';
  readonly source: { readonly label: string; readonly url?: string; readonly topic: Topic };
  readonly suggestions?: readonly Suggestion[];
  readonly selectionBehavior?: 'at-most-one' | 'any';
  readonly overrideReasons?: readonly Required<Pick<Coding, 'system' | 'code' | 'display'>>[];
  readonly links?: readonly Link[];
  readonly extension: Readonly<Record<string, unknown>>;
}

export interface HookAnswer {
  readonly cards: readonly Card[];
  readonly systemActions: readonly Action[];
}
