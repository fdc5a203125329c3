import type { Hook } from './hook-call.ts';

export interface HookService {
  readonly hook: Hook;
  readonly id: string;
  readonly title: string;
  readonly description: string;
}

const service = <H extends Hook>(hook: H, title: string, description: string) => ({ hook, id: `${hook}-crd`, title, description }) as const;

/** One service for each hook, all under one base address. */
export const SERVICES: readonly HookService[] = [
  service('order-sign', 'Coverage requirements at signing', "Says whether the patient's payer needs an authorization or documents for the orders being signed, and how likely a denial is."),
  service('order-select', 'Coverage requirements while ordering', "Says early what the patient's payer will ask for, or offers instead, where a selected order is not simply covered."),
  service('order-dispatch', 'Coverage requirements at dispatch', "Says whether the patient's payer needs an authorization or documents for the orders that a performer is asked to fulfil."),
  service('appointment-book', 'Coverage requirements at booking', "Says whether the patient's payer needs an authorization or documents for the appointments being booked."),
  service('encounter-start', 'Coverage requirements at the start of an encounter', "Says what the patient's payer asks for the encounter, where it asks for anything."),
  service('encounter-discharge', 'Coverage requirements at discharge', "Says what the patient's payer asks for the encounter that ends, where it asks for anything."),
];
