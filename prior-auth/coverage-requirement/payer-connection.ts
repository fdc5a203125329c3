import type { Coverage } from '@medplum/fhirtypes';
import type { Payer } from './payer.ts';

/** How a payer knows who calls. */
export type PayerAuthentication =
  /** SMART Backend Services with private_key_jwt: our keys are at /.well-known/jwks.json. */
  | {
      readonly kind: 'backend-services';
      /** As the payer registered us. Default `open-prior-auth-server`. */
      readonly clientId?: string | undefined;
      /** Default ES384. */
      readonly algorithm?: 'ES384' | 'RS384' | undefined;
      /** Space-separated; in place of what the operation needs. */
      readonly scope?: string | undefined;
      /** For a payer without .well-known/smart-configuration. */
      readonly tokenEndpoint?: string | undefined;
    }
  /** Only over mutual TLS, or on loopback. */
  | { readonly kind: 'none' }
  /** A fixed header, on loopback only. */
  | { readonly kind: 'header'; readonly name: string; readonly value: string };

/** PEM files of this machine, read again when they change. */
export interface PayerTls {
  /** Our client certificate with its chain, and its private key. */
  readonly certificateFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Certificates that are trusted for this payer in place of the system's. */
  readonly caFile?: string | undefined;
}

/** Another endpoint for the coverages of one plan. PAS: at most one endpoint a coverage, and incompatible versions stand at different base URLs. */
export interface PayerPlan {
  readonly id: string;
  /** Any of these in Coverage.class: `type` is the code of its type ("group", "plan"). */
  readonly coverageClasses?: readonly { readonly type: string; readonly value: string }[] | undefined;
  /** Any of these codes in Coverage.type. */
  readonly coverageTypes?: readonly string[] | undefined;
  readonly fhirBase: string;
  readonly pasVersion: Payer['pasVersion'];
  readonly subscriptions?: Payer['subscriptions'] | undefined;
}

export function isOfPlan(coverage: Coverage, { coverageClasses = [], coverageTypes = [] }: PayerPlan): boolean {
  const ofClass = coverageClasses.some(({ type, value }) => coverage.class?.some((each) => each.value?.trim() === value && each.type.coding?.some(({ code }) => code === type)));
  return ofClass || coverageTypes.some((type) => coverage.type?.coding?.some(({ code }) => code === type));
}

/** Payer ids hold no `~`. */
export function planConnectionId(payerId: string, planId: string): string {
  return `${payerId}~${planId}`;
}

/** The payer as it is spoken to for one plan: a connection of its own, with its own token, breaker and subscription. */
export function connectionOf({ plans: _plans, discoveryBase: _discoveryBase, ...payer }: Payer, plan: PayerPlan): Payer {
  return { ...payer, id: planConnectionId(payer.id, plan.id), planOf: payer.id, fhirBase: plan.fhirBase, pasVersion: plan.pasVersion, subscriptions: plan.subscriptions ?? payer.subscriptions };
}
