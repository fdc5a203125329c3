/** Code systems an order's billing code can come from, in the spelling that PAS and our own records use. */
export const HCPCS = 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets';
export const CPT = 'http://www.ama-assn.org/go/cpt';

/** Other spellings met in real records: https, trailing slash, OIDs, terminology.hl7.org. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['www.cms.gov/medicare/coding/hcpcsreleasecodesets', HCPCS],
  ['www.cms.gov/medicare/coding/medhcpcsgeninfo', HCPCS],
  ['terminology.hl7.org/codesystem/hcpcs', HCPCS],
  ['terminology.hl7.org/codesystem/hcpcs-level-ii', HCPCS],
  ['hl7.org/fhir/sid/hcpcs', HCPCS],
  ['bluebutton.cms.gov/resources/codesystem/hcpcs', HCPCS],
  ['urn:oid:2.16.840.1.113883.6.285', HCPCS],
  ['urn:oid:2.16.840.1.113883.6.14', HCPCS],
  ['www.ama-assn.org/go/cpt', CPT],
  ['urn:oid:2.16.840.1.113883.6.12', CPT],
]);

/** The one place that says which spellings mean the same code system. An unknown system is returned trimmed. */
export function canonicalSystem(system: string): string {
  const trimmed = system.trim();
  return SPELLINGS.get(trimmed.replace(/^https?:\/\//i, '').replace(/\/+$/, '').toLowerCase()) ?? trimmed;
}

/** A coding with the system's usual spelling; HCPCS Level I (five digits, or four and a letter F, T, U or A at the end) is CPT. */
export function canonicalCoding(coding: { readonly system?: string | undefined; readonly code?: string | undefined }): { system: string; code: string } | undefined {
  const code = coding.code?.trim();
  if (!code) return undefined;
  const system = canonicalSystem(coding.system ?? '');
  if (system !== HCPCS && system !== CPT) return { system, code };
  const upper = code.toUpperCase();
  if (/^\d{4}[\dFTUAM]$/.test(upper)) return { system: CPT, code: upper };
  return /^[A-V]\d{4}$/.test(upper) ? { system: HCPCS, code: upper } : { system, code: upper };
}
