import type { Router } from 'express';

/** One part of the running system. `start/main.ts` builds the parts, mounts their routers and stops them in reverse order. */
export interface Part {
  readonly name: string;
  readonly router: Router;
  /** Begins background work, once the port answers. */
  start?(): Promise<void>;
  stop?(): Promise<void>;
  /** For /readyz: undefined when ready, else what is missing. */
  notReady?(): string | undefined;
}
