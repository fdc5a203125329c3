import type { PriorAuthCase } from '#prior-auth/case.ts';
import { authorizationsOf } from '#prior-auth/payer-decision/authorization-register.ts';
import type { RegisteredAuthorization } from '#prior-auth/worklist-api.ts';

/** A case's lines of the register, each with the name of its service; what the payer added has its number in the request. `used`: units by item sequence. `today`: YYYY-MM-DD at the payer. */
export function registeredOf(found: PriorAuthCase, used: Readonly<Record<string, number>>, today: string): readonly RegisteredAuthorization[] {
  const services = [found.service, ...(found.further ?? [])];
  const usedBySequence = new Map(Object.entries(used).map(([sequence, units]) => [Number(sequence), units]));
  return authorizationsOf(found, usedBySequence, today).map((one) => ({ ...one, service: services.find(({ order }) => order === one.order)?.display ?? `${one.sequence}` }));
}
