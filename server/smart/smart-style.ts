import type { SmartStyle } from '#prior-auth/panel-launch-api.ts';
import { type EhrRegistration, originsOf } from './ehr-registration.ts';

const COLOR = /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i;
const LENGTH = /^(\d{1,2}(?:\.\d{1,2})?)px$/;
const FONT = /^[A-Za-z0-9 ,'"-]{1,200}$/;
const MOST_BYTES = 32_000;

/** SMART App Launch 2.2.0 §2.0.11, as far as the panel can follow it: each key with what its value may look like. Anything else is left out. */
const KEYS: readonly (readonly [key: keyof SmartStyle, valid: (value: string) => boolean])[] = [
  ['color_background', (value) => COLOR.test(value)],
  ['color_text', (value) => COLOR.test(value)],
  ['color_highlight', (value) => COLOR.test(value)],
  ['color_error', (value) => COLOR.test(value)],
  ['dim_border_radius', (value) => within(value, 0, 24)],
  ['dim_font_size', (value) => within(value, 12, 24)],
  ['dim_spacing_size', (value) => within(value, 4, 32)],
  ['font_family_body', (value) => FONT.test(value)],
  ['font_family_heading', (value) => FONT.test(value)],
];

export function readStyle(value: unknown): SmartStyle {
  const given = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  return Object.fromEntries(
    KEYS.flatMap(([key, valid]) => {
      const written = given[key];
      return typeof written === 'string' && valid(written.trim()) ? [[key, written.trim()]] : [];
    }),
  );
}

function within(value: string, least: number, most: number): boolean {
  const length = Number(LENGTH.exec(value)?.[1] ?? Number.NaN);
  return length >= least && length <= most;
}

/** Reads the EHR's style, from origins of the EHR only. The panel looks as it always does when it cannot be had: `onFailure` says why. */
export async function fetchStyle(ehr: EhrRegistration, styleUrl: string | undefined, onFailure: (why: string) => void): Promise<SmartStyle> {
  if (styleUrl === undefined) return {};
  const url = URL.parse(styleUrl, `${ehr.fhirBase}/`);
  if (url === null || !originsOf(ehr).includes(url.origin)) {
    onFailure('it is not at an origin registered for this EHR');
    return {};
  }
  try {
    const answer = await fetch(url, { headers: { accept: 'application/json' }, redirect: 'error', signal: AbortSignal.timeout(2_000) });
    const text = answer.ok ? await readUpTo(answer, MOST_BYTES) : undefined;
    if (text === undefined) {
      onFailure(answer.ok ? 'it is too large' : `it answered ${answer.status}`);
      return {};
    }
    return readStyle(JSON.parse(text));
  } catch (error) {
    onFailure(error instanceof SyntaxError ? 'it is not JSON' : 'it did not answer');
    return {};
  }
}

async function readUpTo(answer: Response, most: number): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body ?? []) {
    size += part.byteLength;
    if (size > most) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
