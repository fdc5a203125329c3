import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import type { RequestedService } from '../order/requested-service.ts';

const SHORT: Readonly<Record<string, string>> = { [CODE_SYSTEMS.hcpcs]: 'hcpcs', [CODE_SYSTEMS.cpt]: 'cpt', [CODE_SYSTEMS.ndc]: 'ndc', [CODE_SYSTEMS.rxnorm]: 'rxnorm' };

/** What past decisions are counted under: the code that would be billed, "hcpcs:E0601"; null when the order carries none of a known system. */
export function procedureOf({ codings }: Pick<RequestedService, 'codings'>): string | null {
  for (const system of Object.keys(SHORT)) {
    const coding = codings.find((each) => each.system === system);
    if (coding) return `${SHORT[system]}:${coding.code}`;
  }
  return null;
}
