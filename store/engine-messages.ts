/** What the thread of the embedded engine is asked. `tx` names the open transaction in which a statement runs. */
export type EngineTask =
  | { readonly kind: 'query'; readonly text: string; readonly values: readonly unknown[]; readonly tx?: number }
  | { readonly kind: 'exec'; readonly text: string }
  | { readonly kind: 'begin'; readonly tx: number }
  | { readonly kind: 'end'; readonly tx: number; readonly commit: boolean }
  | { readonly kind: 'listen'; readonly channel: string; readonly listener: number }
  | { readonly kind: 'unlisten'; readonly listener: number }
  | { readonly kind: 'close' };

export interface EngineRequest {
  readonly id: number;
  readonly task: EngineTask;
}

/** Rows of one statement. Columns named in `json` are still text: reading it costs the receiving thread less than a copy of what it says. */
export interface EngineRows {
  readonly rows: Record<string, unknown>[];
  readonly affectedRows: number | undefined;
  readonly json: readonly string[];
}

/** The first message, an empty one, says that the engine is open. */
export type EngineReply =
  | { readonly kind: 'done'; readonly id: number; readonly results: readonly EngineRows[] }
  /** `facts`: SQLSTATE as `code`, constraint and alike; never a parameter's value. */
  | { readonly kind: 'failed'; readonly id: number; readonly message: string; readonly facts: Readonly<Record<string, string>> }
  | { readonly kind: 'notified'; readonly listener: number; readonly payload: string };
