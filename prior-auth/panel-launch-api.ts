import { z } from 'zod/mini';

/*
 * What the panel asks of the server before there is a case: what the launch said, and which order is meant when it did not say.
 * The messages of a case are in panel-api.ts; the session is told in the same header.
 */

/** Proves a session where no cookie comes back. The page keeps it in memory only. */
export const PANEL_SECRET_HEADER = 'x-panel-secret';

/** SMART `smart_style_url`, checked: CSS colours, lengths in px, names of fonts. */
export interface SmartStyle {
  readonly color_background?: string;
  readonly color_text?: string;
  readonly color_highlight?: string;
  readonly color_error?: string;
  readonly dim_border_radius?: string;
  readonly dim_font_size?: string;
  readonly dim_spacing_size?: string;
  readonly font_family_body?: string;
  readonly font_family_heading?: string;
}

export interface PanelLaunch {
  /** `choose`: the EHR named no order; `readChoices` lists those of the patient. */
  readonly kind: 'case' | 'choose';
  readonly style: SmartStyle;
  /** Rights that the EHR did not give, with what the panel therefore cannot do. */
  readonly notGranted: readonly { readonly scope: string; readonly cannot: string }[];
  /** SMART `intent`: what the user wants to do. */
  readonly intent: string | null;
}

/** An order, or a form that was begun, of the launched patient. */
export interface LaunchChoice {
  readonly reference: string;
  readonly kind: 'form' | 'order';
  readonly title: string;
  /** YYYY-MM-DD. */
  readonly date: string | null;
  /** `not-asked`: the payer has not said yet whether it needs an authorization, so it cannot be opened. */
  readonly state: 'in-progress' | 'authorization-needed' | 'nothing-needed' | 'not-asked';
  /** Belongs to the encounter of the launch. */
  readonly inEncounter: boolean;
}

export interface LaunchChoices {
  readonly patient: { readonly name: string; readonly birthDate: string | null };
  readonly choices: readonly LaunchChoice[];
  /** Types the EHR did not let the panel search. */
  readonly unread: readonly string[];
}

/** An EHR from which the panel can be started without a chart. */
export interface LaunchableEhr {
  readonly name: string;
  readonly startUrl: string;
}

export const PANEL_LAUNCH_API = {
  listEhrs: { method: 'GET', path: '/panel/api/ehrs' },
  claim: { method: 'POST', path: '/panel/api/claim', request: z.object({ ticket: z.string().check(z.minLength(20), z.maxLength(100)) }) },
  readLaunch: { method: 'GET', path: '/panel/api/launch' },
  readChoices: { method: 'GET', path: '/panel/api/launch/choices' },
  choose: { method: 'POST', path: '/panel/api/launch/choose', request: z.object({ reference: z.string().check(z.regex(/^[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/)) }) },
} as const;
