import { createHash, randomUUID } from 'node:crypto';

/*
 * A card's uuid tells which kind of card it is: the last eight digits are a hash of the kind's name, the rest is random (UUID version 8, RFC 9562).
 * Feedback names a card by nothing but its uuid, so every process can tell what it is about without keeping a row for each card sent.
 */

const marks = new Map<string, string>();

/** `kind` names what made the card: an own card's name, or "policy-id/response-id". */
export function newCardId(kind: string): string {
  // Of a random UUID, without the two digits that are not random: its source is read ahead, which costs a tenth.
  const uuid = randomUUID().replaceAll('-', '');
  const random = `${uuid.slice(0, 12)}${uuid.slice(13, 16)}${uuid.slice(17, 26)}`;
  const variant = ((Number.parseInt(random.charAt(15), 16) & 0x3) | 0x8).toString(16);
  return `${random.slice(0, 8)}-${random.slice(8, 12)}-8${random.slice(12, 15)}-${variant}${random.slice(16, 19)}-${random.slice(19, 23)}${markOf(kind)}`;
}

/** Of the kinds given, the one whose card it is; undefined for a card of none of them. */
export function kindOfCard(uuid: string, kinds: Iterable<string>): string | undefined {
  const mark = uuid.slice(-8).toLowerCase();
  for (const kind of kinds) if (markOf(kind) === mark) return kind;
  return undefined;
}

function markOf(kind: string): string {
  let mark = marks.get(kind);
  if (mark === undefined) {
    mark = createHash('sha256').update(kind).digest('hex').slice(0, 8);
    marks.set(kind, mark);
  }
  return mark;
}
