import { callJson, type Reply } from '../ui/call-json.ts';

/* The sandbox EHR's own JSON API for these screens (/ehr/ui). */

export interface EhrUser { readonly id: string; readonly name: string; readonly role: string }
export interface SignedIn { readonly reference: string; readonly name: string; readonly role: string }
export interface PatientRow { readonly id: string; readonly name: string; readonly birthDate?: string; readonly gender?: string; readonly mrn?: string; readonly coverage?: string }
export interface ChartEntry { readonly reference: string; readonly display: string; readonly date?: string | null; readonly detail?: string | null }
export interface OrderEntry extends ChartEntry { readonly status: string; readonly code?: unknown; readonly cards?: readonly Card[]; readonly coverageInformation?: readonly CoverageInformation[] }
export interface CatalogItem { readonly id: string; readonly display: string; readonly code: { readonly system: string; readonly code: string }; readonly orderType: string; readonly suggestedQuantity?: number | { readonly value?: number; readonly unit?: string } | null }

export interface Chart {
  readonly patient: PatientRow;
  readonly coverages: readonly ChartEntry[];
  readonly conditions: readonly ChartEntry[];
  readonly observations: readonly ChartEntry[];
  readonly procedures: readonly ChartEntry[];
  readonly medications: readonly ChartEntry[];
  readonly documents: readonly ChartEntry[];
  readonly orders: readonly OrderEntry[];
}

export interface Coding { readonly system?: string; readonly code?: string; readonly display?: string }

/** A CDS Hooks 2.0 card. */
export interface Card {
  readonly uuid?: string;
  readonly summary: string;
  readonly detail?: string;
  readonly indicator: 'info' | 'warning' | 'critical' | 'hard-stop';
  readonly source: { readonly label: string; readonly url?: string };
  readonly links?: readonly { readonly label: string; readonly url: string; readonly type: 'absolute' | 'smart' }[];
  readonly overrideReasons?: readonly Coding[];
  readonly suggestions?: readonly { readonly uuid?: string; readonly label: string; readonly isRecommended?: boolean; /** Taken already, with this order. */ readonly accepted?: boolean }[];
  /** The service that gave the card and takes feedback on it. */
  readonly service: string;
}

/** What the payer's service says of an order that is being written. */
export interface Selected {
  readonly order: string;
  readonly cards: readonly Card[];
  readonly failure?: { readonly message: string };
}

export interface AcceptedSuggestion { readonly written: readonly string[]; readonly removed: readonly string[] }

export interface CoverageInformation {
  readonly covered?: string;
  readonly paNeeded?: string;
  readonly docNeeded?: string;
  readonly infoNeeded?: readonly string[];
  readonly reasons?: readonly string[];
  readonly contacts?: readonly string[];
  readonly questionnaires?: readonly string[];
  readonly assertionId?: string;
}

export interface Signed {
  readonly order: string;
  readonly hook?: { readonly ms: number; readonly status: number | null };
  readonly cards: readonly Card[];
  readonly coverageInformation: readonly CoverageInformation[];
  /** The payer service refused to answer, or could not be asked; the order is signed all the same. */
  readonly failure?: { readonly kind: 'refused' | 'failed'; readonly message: string };
}

export interface NewOrder {
  readonly catalogId: string;
  /** The id that `select` gave it. */
  readonly id?: string;
  readonly quantity?: number;
  readonly priority?: string;
  readonly reason?: string;
  readonly note?: string;
}

export interface Feedback {
  readonly service: string;
  readonly cardUuid: string;
  readonly outcome: 'accepted' | 'overridden';
  /** A reason by code, or the clinician's own words. */
  readonly overrideReason?: Coding | string;
}

const get = <T>(path: string): Promise<Reply<T>> => callJson<T>({ method: 'GET', path: `/ehr/ui${path}` });
const post = <T>(path: string, body: unknown): Promise<Reply<T>> => callJson<T>({ method: 'POST', path: `/ehr/ui${path}`, body });

export const ehr = {
  users: () => get<{ readonly users: readonly EhrUser[] }>('/users'),
  login: (user: string) => post<unknown>('/login', { user }),
  logout: () => post<unknown>('/logout', {}),
  session: () => get<{ readonly user: SignedIn }>('/session'),
  patients: (q: string) => get<{ readonly patients: readonly PatientRow[] }>(`/patients?${new URLSearchParams({ q }).toString()}`),
  chart: (patientId: string) => get<Chart>(`/patients/${encodeURIComponent(patientId)}/chart`),
  catalog: () => get<{ readonly items: readonly CatalogItem[] }>('/catalog'),
  order: (patientId: string, order: NewOrder) => post<{ readonly order: string }>(`/patients/${encodeURIComponent(patientId)}/orders`, order),
  select: (patientId: string, order: NewOrder) => post<Selected>(`/patients/${encodeURIComponent(patientId)}/orders/select`, order),
  accept: (patientId: string, order: string, cardUuid: string, suggestionUuid: string) => post<AcceptedSuggestion>(`/patients/${encodeURIComponent(patientId)}/suggestions/accept`, { order, cardUuid, suggestionUuid }),
  sign: (order: string) => post<Signed>('/orders/sign', { order }),
  launch: (order: string) => post<{ readonly launchUrl: string }>('/orders/launch', { order }),
  feedback: (feedback: Feedback) => post<unknown>('/feedback', feedback),
};
