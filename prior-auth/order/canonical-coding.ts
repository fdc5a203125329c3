import { canonicalCodeSystem, CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { withoutSlashes } from '#fhir/base/reference.ts';

/**
 * A coding in the one spelling that policies, PAS and our own records use: system as FHIR writes it, code trimmed; HCPCS and CPT codes in capitals,
 * and HCPCS Level I (five digits, or four and a letter) under the CPT system. Undefined without a code.
 */
export function canonicalCoding(coding: { readonly system?: string | undefined; readonly code?: string | undefined }): { system: string; code: string } | undefined {
  const code = coding.code?.trim();
  if (!code) return undefined;
  const system = canonicalCodeSystem(withoutSlashes(coding.system?.trim() ?? ''));
  if (system !== CODE_SYSTEMS.hcpcs && system !== CODE_SYSTEMS.cpt) return { system, code };
  const capitals = code.toUpperCase();
  if (/^\d{4}[\dFTUAM]$/.test(capitals)) return { system: CODE_SYSTEMS.cpt, code: capitals };
  return { system: /^[A-V]\d{4}$/.test(capitals) ? CODE_SYSTEMS.hcpcs : system, code: capitals };
}
