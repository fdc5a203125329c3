import { type IgId, openValidator, type Validator } from '#fhir/validation/validator.ts';

export type PasVersion = '2.0.1' | '2.2.1';

/** One PAS address of this payer. The version is the address's, never read from the body (PAS: incompatible versions at different base URLs). */
export interface PasEndpoint {
  readonly version: PasVersion;
  /** Path of the FHIR base on this server. */
  readonly basePath: string;
  /** The FHIR base itself, without a slash at the end. */
  readonly fhirBase: string;
  readonly validator: Validator;
}

export const PAS_BASE_PATHS: { readonly [V in PasVersion]: string } = { '2.0.1': '/payer/fhir', '2.2.1': '/payer/pas-2.2.1/fhir' };

const GUIDES: { readonly [V in PasVersion]: IgId } = { '2.0.1': 'pas-2.0.1', '2.2.1': 'pas-2.2.1' };

export type PasEndpoints = { readonly [V in PasVersion]: PasEndpoint };

/** `baseUrl`: origin of the server, without a slash at the end. */
export function pasEndpoints(baseUrl: string): PasEndpoints {
  const endpoint = (version: PasVersion): PasEndpoint => {
    const basePath = PAS_BASE_PATHS[version];
    return { version, basePath, fhirBase: `${baseUrl}${basePath}`, validator: openValidator([GUIDES[version]]) };
  };
  return { '2.0.1': endpoint('2.0.1'), '2.2.1': endpoint('2.2.1') };
}
