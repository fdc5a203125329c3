import { CLIENT_AUTHENTICATIONS, DEFAULT_SCOPES } from '../smart/ehr-registration.ts';
import type { KnownEhr } from '../smart/registered-ehrs.ts';
import type { EhrField, EhrForm } from './ehr-form.ts';
import { csrfField, faultNotice, type FieldWords, type Form, formFields } from '#admin/form.ts';
import { type Html, html } from '#admin/html.ts';
import { type Row, table } from '#admin/table.ts';

export const EHRS_PATH = '/admin/ehrs';

export interface EhrsPage {
  readonly ehrs: readonly KnownEhr[];
  readonly baseUrl: string;
  readonly csrf: string;
  readonly fileFault: string | undefined;
  readonly notice?: string;
  /** A form that was sent and not taken. */
  readonly form?: EhrForm;
  readonly faults?: Partial<Record<EhrField, string>>;
}

export function ehrsPage(page: EhrsPage): Html {
  const form: Form<EhrField> = { fields: FIELD_WORDS, given: page.form, faults: page.faults };
  return html`${faultNotice('The EHR was not added.', form)}${page.notice ? html`<p class="notice" role="status">${page.notice}</p>` : ''}
${page.fileFault ? html`<div class="notice" role="alert"><p>The EHRs file was changed and cannot be used; what it said before is in force.</p><pre>${page.fileFault}</pre></div>` : ''}
<p>EHRs from which the panel can be launched. Every other one is refused without asking it anything. A change holds in every process within a few seconds.</p>
<h2>What to register at the EHR</h2>${table('Addresses of this installation', [{ name: 'For' }, { name: 'Address' }], addressRows(page.baseUrl))}
${page.ehrs.length === 0 ? html`<p>No EHR is registered: the panel cannot be launched.</p>` : table('Registered EHRs', [{ name: 'EHR' }, { name: 'Client' }, { name: 'May show the panel' }, { name: 'Registered in', words: true }, { name: 'State', words: true }], page.ehrs.map((known) => ehrRow(known, page.csrf)))}
<h2 id="add">Add an EHR</h2><form method="post" action="${EHRS_PATH}">${csrfField(page.csrf)}${formFields(form)}<button>Add EHR</button></form>
<h2>Session</h2><form method="post" action="${EHRS_PATH}/sign-out">${csrfField(page.csrf)}<button>Sign out</button></form>`;
}

function addressRows(baseUrl: string): readonly Row[] {
  const addresses = { 'Launch URL': '/panel/launch', 'Redirect URI': '/panel/callback', 'Public keys (JWKS), ES384 and RS384': '/.well-known/jwks.json', 'Redirect URI of the worklist': '/work/callback', 'Supported payers': '/panel/supported-payers' };
  return Object.entries(addresses).map(([name, path]) => ({ heading: name, cells: [html`<code>${baseUrl}${path}</code>`] }));
}

const SOURCE_WORDS: { readonly [S in KnownEhr['source']]: string } = { 'built-in': 'this program', file: 'the EHRs file', 'admin-page': 'this page' };

function ehrRow({ ehr, source, id }: KnownEhr, csrf: string): Row {
  const change = ehr.disabled ? 'Enable' : 'Disable';
  const button = html`<form method="post" action="${EHRS_PATH}/${id}/${change.toLowerCase()}">${csrfField(csrf)}<button aria-label="${change} ${ehr.name ?? ehr.fhirBase}">${change}</button></form>`;
  return {
    heading: html`${ehr.name ? html`${ehr.name}<br>` : ''}${ehr.fhirBase}`,
    cells: [
      html`${ehr.clientId}<br>${ehr.clientAuthentication ?? 'private_key_jwt'}${ehr.signingAlgorithm ? `, ${ehr.signingAlgorithm}` : ''}`,
      (ehr.frameOrigins ?? []).length === 0 ? 'pages of its own origin' : html`${(ehr.frameOrigins ?? []).map((origin) => html`${origin}<br>`)}`,
      SOURCE_WORDS[source],
      html`${ehr.disabled ? 'Disabled' : 'Launches'}${id === undefined ? '' : button}`,
    ],
  };
}

const FIELD_WORDS: { readonly [F in EhrField]: FieldWords } = {
  name: { label: 'Name', hint: 'Shown to people who start the panel without a chart. Optional.' },
  fhirBase: { label: 'FHIR base', hint: 'Equal to the iss of its launches. https.', required: true },
  clientId: { label: 'Client id', hint: 'As the EHR gave it to the panel.', required: true },
  clientAuthentication: { label: 'Client authentication', hint: 'private_key_jwt where the EHR can, none only for a public client.', choices: CLIENT_AUTHENTICATIONS },
  clientSecret: { label: 'Client secret', hint: 'For client_secret_basic and client_secret_post only. It is not shown again.', secret: true },
  signingAlgorithm: { label: 'Signature of the client assertion', hint: 'For private_key_jwt.', choices: ['ES384', 'RS384'] },
  scopes: { label: 'Scopes', hint: `SMART v2, separated by spaces; asked for as v1 where the EHR knows no other. Empty: ${DEFAULT_SCOPES}`, lines: 3 },
  frameOrigins: { label: 'Other origins of the EHR', hint: 'Whose pages may show the panel in a frame, one in a line. That of the FHIR base may in any case.', lines: 3 },
  worklistClientId: { label: 'Client id of the worklist', hint: 'The first EHR that has one is where staff sign in. Optional.' },
};
