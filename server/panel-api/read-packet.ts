import type { Packet } from '#prior-auth/packet.ts';
import { gatherPacket } from '../packet/gather-packet.ts';
import type { PanelCall, PanelHandler, PanelParts } from './panel-parts.ts';

/** The case on paper, for the screen to print. */
export function readPacket(parts: PanelParts): PanelHandler<'readPacket'> {
  return (_request, call) => makePacket(parts, call, 'html');
}

/** The session's own case and no other; each printing is in the audit trail. */
export async function makePacket(parts: PanelParts, { caseId, patientId, ehr, session }: PanelCall, format: 'html' | 'pdf'): Promise<Packet> {
  const packet = await gatherPacket(parts, ehr, await parts.cases.read(caseId));
  await parts.store.transaction((trx) => parts.audit.recordWithin(trx, { action: 'packet-printed', who: session.user.reference, what: [`Patient/${patientId}`], caseId, details: { format } }));
  return packet;
}
