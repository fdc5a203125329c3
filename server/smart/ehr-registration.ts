/** One EHR that may launch the panel. Launches from any other `iss` are refused: it would be a way to steal tokens or to make this server call foreign hosts. */
export interface EhrRegistration {
  /** FHIR base, equal to the `iss` of a launch. */
  readonly fhirBase: string;
  readonly clientId: string;
  /** Space-separated, as sent to the authorization server. */
  readonly scopes: string;
  /** Client of the staff's sign-in; the first EHR that has one is where staff sign in. Default `open-prior-auth-worklist`. */
  readonly worklistClientId?: string;
}

export function findEhr(ehrs: readonly EhrRegistration[], iss: string): EhrRegistration | undefined {
  const wanted = withoutTrailingSlash(iss);
  return ehrs.find((ehr) => withoutTrailingSlash(ehr.fhirBase) === wanted);
}

export function withoutTrailingSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
