/** Everything of one case on paper, for a payer that takes no electronic request. Made by the server, printed by the screen and as PDF. */
export interface Packet {
  readonly title: string;
  readonly caseNumber: string;
  /** ISO instant. */
  readonly madeAt: string;
  /** At the head of every page: name, birth date, record number. */
  readonly patient: string;
  readonly sections: readonly PacketSection[];
}

export type PacketSection =
  | { readonly kind: 'facts'; readonly title: string; readonly facts: readonly PacketFact[] }
  | { readonly kind: 'form'; readonly title: string; readonly facts: readonly PacketFact[]; readonly answers: readonly PacketAnswer[] }
  | { readonly kind: 'list'; readonly title: string; readonly entries: readonly string[] };

export interface PacketFact {
  readonly label: string;
  readonly value: string;
}

export interface PacketAnswer {
  readonly question: string;
  /** 0 for the form itself, 1 within a group of it, … */
  readonly depth: number;
  /** A heading: a group of questions, or an entry of one that repeats. */
  readonly isGroup: boolean;
  readonly values: readonly { readonly value: string; readonly origin: string }[];
}
