/** Code of our own `detail` in coverage-information: tells the panel which policy revision decided, as "policyId|revision". */
export const POLICY_REVISION_DETAIL = { system: 'https://openpriorauth.org/CodeSystem/coverage-detail', code: 'policy-revision' } as const;
