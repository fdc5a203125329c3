import type { Extension, Signature } from '@medplum/fhirtypes';
import type { AnswerAuthor } from './form-state.ts';
import { RESPONSE_EXTENSIONS } from './extension-urls.ts';
import type { ShownSignature } from './form.ts';
import type { SignatureType } from './item-definition.ts';

/** ASTM E1762 "author's signature": the meaning of a payer's signatureRequired that names no kind. */
const AUTHOR_SIGNATURE = { system: 'urn:iso-astm:E1762-95:2013', code: '1.2.840.10065.1.12.1.1', display: 'Author\'s Signature' };

export interface Signing {
  readonly type: SignatureType | undefined;
  readonly signer: AnswerAuthor;
  /** The name as the person typed it. */
  readonly name: string;
  /** What the person attests; kept inside the signature as plain text. */
  readonly statement: string;
  /** ISO instant with offset. */
  readonly when: string;
}

/** questionnaireresponse-signature with a typed attestation: who, when, what kind, and the words that were signed. */
export function writeSignature({ type, signer, name, statement, when }: Signing): Extension {
  const { system, code, display } = type ?? {};
  const kind = code ? { ...(system ? { system } : {}), code, ...(display ? { display } : {}) } : AUTHOR_SIGNATURE;
  return {
    url: RESPONSE_EXTENSIONS.signature,
    valueSignature: { type: [kind], when, who: { reference: signer.reference, display: name }, targetFormat: 'application/fhir+json', sigFormat: 'text/plain', data: base64(`${statement}\n${name}`) },
  };
}

export function showSignature(required: SignatureType | undefined, extension: Extension | undefined): ShownSignature | undefined {
  const signature: Signature | undefined = extension?.valueSignature;
  if (!required && !signature) return undefined;
  return {
    required: required !== undefined,
    ...(required?.display ? { kind: required.display } : {}),
    ...(signature ? { signed: { name: signature.who?.display ?? signature.who?.reference ?? '', when: signature.when ?? '' } } : {}),
  };
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** UTF-8 text; the engine has neither Node's nor the browser's encoder. */
function base64(text: string): string {
  const bytes = [...encodeURIComponent(text).matchAll(/%([0-9A-F]{2})|(.)/gs)].map(([, hex, plain = '']) => (hex === undefined ? plain.charCodeAt(0) : Number.parseInt(hex, 16)));
  let out = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b, c] = bytes.slice(at, at + 3);
    const bits = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    const digit = (shift: number) => DIGITS[(bits >> shift) & 63] ?? '';
    out += digit(18) + digit(12) + (b === undefined ? '=' : digit(6)) + (c === undefined ? '=' : digit(0));
  }
  return out;
}
