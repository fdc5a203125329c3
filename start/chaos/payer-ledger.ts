import { createHash, randomUUID } from 'node:crypto';
import type { Chance } from './chance.ts';

/** Plain FHIR as it came: this payer knows nothing of the sender's types. */
export type Json = { readonly [key: string]: unknown };

export interface Entry {
  readonly member: string;
  readonly claimIdentifier: string;
  readonly claim: Json;
  readonly claimFullUrl: string;
  readonly purpose: 'new' | 'update' | 'cancel';
  readonly responseId: string;
  readonly version: string;
  readonly parties: readonly Json[];
  code: string;
}

/** What the payer saw of one Claim.identifier. */
interface Arrivals {
  readonly hashes: Set<string>;
  count: number;
}

/** How the run is judged from the payer's side: by member, which is one for each case. */
export interface MemberReport {
  readonly member: string;
  /** Claim.identifiers of new requests taken in hand. */
  readonly requests: readonly string[];
  readonly changes: readonly string[];
  /** The review action that stands. */
  readonly code: string;
  /** Submissions that arrived, the repeated ones too. */
  readonly arrivals: number;
  /** Repeated submissions whose bytes differ from the first. */
  readonly altered: number;
}

const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as Json[]) : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const resourcesOf = (bundle: Json): readonly Json[] => list(bundle['entry']).map((entry) => entry['resource'] as Json);
const TRACE = 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-itemTraceNumber';
const CANCELLED = 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition/modifierextension-infoCancelled';

export function createLedger(chance: Chance) {
  const entries = new Map<string, Entry>();
  const arrivals = new Map<string, Arrivals>();

  const noteArrival = (claimIdentifier: string, body: string): number => {
    const seen = arrivals.get(claimIdentifier) ?? { hashes: new Set(), count: 0 };
    arrivals.set(claimIdentifier, seen);
    seen.hashes.add(createHash('sha256').update(body).digest('hex'));
    seen.count += 1;
    return seen.count;
  };

  /** Known by its Claim.identifier: what is repeated is answered as before. `claimIdentifier` is made by the sender. */
  const accept = (bundle: Json, version: string): { readonly entry: Entry; readonly isNew: boolean } => {
    const claim = claimOf(bundle);
    const claimIdentifier = identifierOf(claim);
    const known = entries.get(claimIdentifier);
    if (known) return { entry: known, isNew: false };
    const resources = resourcesOf(bundle);
    const coverage = resources.find(({ resourceType }) => resourceType === 'Coverage');
    const member = memberOf(coverage);
    const purpose = purposeOf(claim);
    const entry: Entry = {
      member, claimIdentifier, claim, purpose, version,
      claimFullUrl: String(list(bundle['entry'])[0]?.['fullUrl']),
      responseId: `response-${randomUUID()}`,
      parties: list(bundle['entry']).filter(({ resource }) => ['Patient', 'Organization'].includes(String((resource as Json)['resourceType']))),
      code: purpose === 'new' ? firstCode(chance, member) : 'A1',
    };
    entries.set(claimIdentifier, entry);
    return { entry, isNew: true };
  };

  return {
    noteArrival,
    accept,
    byTraces: (traces: readonly string[]) => [...entries.values()].filter(({ claim }) => tracesOf(claim).some((trace) => traces.includes(trace))),
    pended: () => [...entries.values()].filter(({ code }) => code === 'A4'),
    report(): readonly MemberReport[] {
      const members = [...new Set([...entries.values()].map(({ member }) => member))];
      return members.map((member) => {
        const own = [...entries.values()].filter((entry) => entry.member === member);
        const seen = own.map(({ claimIdentifier }) => arrivals.get(claimIdentifier));
        return {
          member,
          requests: own.filter(({ purpose }) => purpose === 'new').map(({ claimIdentifier }) => claimIdentifier),
          changes: own.filter(({ purpose }) => purpose !== 'new').map(({ purpose }) => purpose),
          code: own.at(-1)?.code ?? '',
          arrivals: seen.reduce((sum, each) => sum + (each?.count ?? 0), 0),
          altered: seen.reduce((sum, each) => sum + Math.max(0, (each?.hashes.size ?? 1) - 1), 0),
        };
      });
    },
  };
}

export type Ledger = ReturnType<typeof createLedger>;

/** A third is pended and decided later. */
function firstCode(chance: Chance, member: string): string {
  const luck = chance('decision', member);
  return luck < 0.35 ? 'A4' : laterCode(chance, member);
}

export function laterCode(chance: Chance, member: string): string {
  const luck = chance('later-decision', member);
  return luck < 0.6 ? 'A1' : luck < 0.8 ? 'A3' : 'A6';
}

export function claimOf(bundle: Json): Json {
  return resourcesOf(bundle)[0] ?? {};
}

export function identifierOf(claim: Json): string {
  return text(list(claim['identifier'])[0]?.['value']);
}

export function tracesOf(claim: Json): readonly string[] {
  return list(claim['item']).flatMap((item) => list(item['extension']).flatMap(({ url, valueIdentifier }) => (url === TRACE ? [String((valueIdentifier as Json)['value'])] : [])));
}

function memberOf(coverage: Json | undefined): string {
  const identifier = list(coverage?.['identifier'])[0]?.['value'];
  return text(coverage?.['subscriberId']) || text(identifier);
}

function purposeOf(claim: Json): Entry['purpose'] {
  if (list(claim['related']).length === 0) return 'new';
  const items = list(claim['item']);
  return items.length > 0 && items.every((item) => list(item['modifierExtension']).some(({ url }) => url === CANCELLED)) ? 'cancel' : 'update';
}
