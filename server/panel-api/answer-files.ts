import { PriorAuthError } from '#prior-auth/errors.ts';
import { type AnswerFile, MOST_ANSWER_BYTES } from '#prior-auth/panel-api.ts';

type FileType = AnswerFile['contentType'];

/** How a file of each kind begins; text has no beginning of its own. */
const BEGINNINGS: Readonly<Record<Exclude<FileType, 'text/plain'>, readonly (readonly number[])[]>> = {
  'application/pdf': [[0x25, 0x50, 0x44, 0x46, 0x2d]],
  'image/jpeg': [[0xff, 0xd8, 0xff]],
  'image/png': [[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  'image/tiff': [[0x49, 0x49, 0x2a, 0x00], [0x4d, 0x4d, 0x00, 0x2a]],
};

/** Throws REQUEST_INVALID for base64 that is none, for a file that is not of its kind, and for too much. Viruses are not looked for. */
export function checkFiles(files: readonly AnswerFile[]): void {
  let total = 0;
  for (const { title, contentType, data } of files) {
    if (data.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(data)) throw refused(`The file “${title}” did not arrive whole.`, 'Choose it again.');
    const bytes = Buffer.from(data, 'base64');
    total += bytes.length;
    if (!isOfKind(bytes, contentType)) throw refused(`The file “${title}” is not of the kind ${contentType} that its name says.`, 'Save it as PDF and choose that.');
  }
  if (total > MOST_ANSWER_BYTES) throw refused(`The files have more than ${MOST_ANSWER_BYTES / 1_000_000} MB together.`, 'Leave one out, or save them smaller.');
}

function isOfKind(bytes: Buffer, contentType: FileType): boolean {
  if (contentType === 'text/plain') return isText(bytes);
  return BEGINNINGS[contentType].some((beginning) => beginning.every((byte, index) => bytes[index] === byte));
}

function isText(bytes: Buffer): boolean {
  try {
    return !new TextDecoder('utf-8', { fatal: true }).decode(bytes).includes('\u0000');
  } catch {
    return false;
  }
}

function refused(message: string, nextStep: string): PriorAuthError {
  return new PriorAuthError('REQUEST_INVALID', message, { nextStep });
}
