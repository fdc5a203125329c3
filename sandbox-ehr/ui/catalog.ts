import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';

export interface CatalogItem {
  readonly id: string;
  /** Our own words: the code owners' texts are not used. */
  readonly display: string;
  readonly code: { readonly system: string; readonly code: string };
  readonly orderType: 'DeviceRequest' | 'ServiceRequest';
  readonly suggestedQuantity?: { readonly value: number; readonly unit: string };
}

const hcpcs = (code: string) => ({ system: CODE_SYSTEMS.hcpcs, code });
const cpt = (code: string) => ({ system: CODE_SYSTEMS.cpt, code });

/** What a clinician can order in the sandbox. */
export const CATALOG: readonly CatalogItem[] = [
  { id: 'e1390', display: 'Oxygen concentrator, stationary', code: hcpcs('E1390'), orderType: 'DeviceRequest', suggestedQuantity: { value: 12, unit: 'months' } },
  { id: 'e0431', display: 'Portable gaseous oxygen system', code: hcpcs('E0431'), orderType: 'DeviceRequest', suggestedQuantity: { value: 12, unit: 'months' } },
  { id: 'e0601', display: 'CPAP device', code: hcpcs('E0601'), orderType: 'DeviceRequest', suggestedQuantity: { value: 13, unit: 'months' } },
  { id: 'k0823', display: 'Power wheelchair, group 2, captain seat', code: hcpcs('K0823'), orderType: 'DeviceRequest', suggestedQuantity: { value: 1, unit: 'device' } },
  { id: 'e0105', display: 'Cane with three or four prongs', code: hcpcs('E0105'), orderType: 'DeviceRequest', suggestedQuantity: { value: 1, unit: 'device' } },
  { id: '75561', display: 'Cardiac MRI without and with contrast', code: cpt('75561'), orderType: 'ServiceRequest', suggestedQuantity: { value: 1, unit: 'study' } },
  { id: '72148', display: 'MRI of the lumbar spine without contrast', code: cpt('72148'), orderType: 'ServiceRequest', suggestedQuantity: { value: 1, unit: 'study' } },
  { id: '78452', display: 'Nuclear stress test, SPECT, rest and stress', code: cpt('78452'), orderType: 'ServiceRequest', suggestedQuantity: { value: 1, unit: 'study' } },
  { id: 'j0585', display: 'OnabotulinumtoxinA injection, per unit', code: hcpcs('J0585'), orderType: 'ServiceRequest', suggestedQuantity: { value: 155, unit: 'units' } },
  { id: '93000', display: 'Resting ECG with report', code: cpt('93000'), orderType: 'ServiceRequest', suggestedQuantity: { value: 1, unit: 'study' } },
  { id: '80053', display: 'Metabolic panel, blood', code: cpt('80053'), orderType: 'ServiceRequest', suggestedQuantity: { value: 1, unit: 'test' } },
];
