import { randomUUID } from 'node:crypto';

/** UUID version 7 (RFC 9562 §5.7): sorts by time. `epochMs`, whole milliseconds, is given by the caller's clock. */
export function uuidv7(epochMs: number): string {
  const time = epochMs.toString(16).padStart(12, '0');
  // Random digits and variant of a random UUID: its source is read ahead, which costs a tenth.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
