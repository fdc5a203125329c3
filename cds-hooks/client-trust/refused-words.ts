import { errors } from 'jose';

/** Why a token was not verified, for our own log: in words, with the code by which the library's documentation can be searched. */
export function refusedWords(error: errors.JOSEError): string {
  const words = error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired ? claimWords(error) : WORDS[error.code];
  return `${words ?? 'not a JWT that can be verified'} (${error.code})`;
}

const WORDS: Readonly<Record<string, string>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'signed with an algorithm that the registration does not accept',
  ERR_JWKS_NO_MATCHING_KEY: "none of the client's keys has this kid and algorithm",
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: "several of the client's keys have this kid",
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "the signature is not by the client's key",
};

/** `claim` is one of those we ask for: its value is the client's and is not told. */
function claimWords(error: errors.JWTClaimValidationFailed | errors.JWTExpired): string {
  const { claim, reason } = error;
  if (error instanceof errors.JWTExpired) return 'expired';
  if (reason === 'missing') return `${claim} is missing`;
  return claim === 'aud' ? 'aud is not the address that was called' : `${claim} is not as it must be`;
}
