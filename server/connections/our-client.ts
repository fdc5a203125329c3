/** Who we are to payers that registered us under no other id, and what sending needs there. */
export const PAS_CLIENT = { clientId: 'open-prior-auth-server', scope: 'system/Claim.c system/Subscription.crud' } as const;
/** The same client, where forms are asked for. */
export const DTR_CLIENT = { clientId: PAS_CLIENT.clientId, scope: 'system/Questionnaire.rs system/ValueSet.rs system/Library.rs' } as const;
