import { CLIENT_AUTHENTICATIONS, DEFAULT_SCOPES } from '../smart/ehr-registration.ts';
import type { KnownEhr } from '../smart/registered-ehrs.ts';
import { EHR_FIELDS, type EhrField, type EhrForm } from './ehr-form.ts';
import { type Html, html } from '#admin/html.ts';

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
  return html`${page.notice ? html`<p class="notice" role="status">${page.notice}</p>` : ''}
${page.fileFault ? html`<div class="notice" role="alert"><p>The EHRs file was changed and cannot be used; what it said before is in force.</p><pre>${page.fileFault}</pre></div>` : ''}
<p>EHRs from which the panel can be launched. Every other one is refused without asking it anything. A change holds in every process within a few seconds.</p>
<h2>What to register at the EHR</h2><div class="wide"><table><caption>Addresses of this installation</caption><tbody>${addressRows(page.baseUrl)}</tbody></table></div>
<div class="wide"><table><caption>Registered EHRs</caption><thead><tr><th scope="col">EHR</th><th scope="col">Client</th><th scope="col">May show the panel</th><th scope="col">Registered in</th><th scope="col">State</th></tr></thead>
<tbody>${page.ehrs.map((known) => ehrRow(known, page.csrf))}</tbody></table></div>
<h2 id="add">Add an EHR</h2>${ehrForm(page)}
<h2>Session</h2><form method="post" action="${EHRS_PATH}/sign-out">${csrfField(page.csrf)}<button>Sign out</button></form>`;
}

function addressRows(baseUrl: string): readonly Html[] {
  const addresses = { 'Launch URL': '/panel/launch', 'Redirect URI': '/panel/callback', 'Public keys (JWKS), ES384 and RS384': '/.well-known/jwks.json', 'Redirect URI of the worklist': '/work/callback', 'Supported payers': '/panel/supported-payers' };
  return Object.entries(addresses).map(([name, path]) => html`<tr><th scope="row">${name}</th><td><code>${baseUrl}${path}</code></td></tr>`);
}

const SOURCE_WORDS: { readonly [S in KnownEhr['source']]: string } = { 'built-in': 'this program', file: 'the EHRs file', 'admin-page': 'this page' };

function ehrRow({ ehr, source, id }: KnownEhr, csrf: string): Html {
  const change = ehr.disabled ? 'Enable' : 'Disable';
  const button = html`<form method="post" action="${EHRS_PATH}/${id}/${change.toLowerCase()}">${csrfField(csrf)}<button aria-label="${change} ${ehr.name ?? ehr.fhirBase}">${change}</button></form>`;
  return html`<tr><th scope="row">${ehr.name ? html`${ehr.name}<br>` : ''}${ehr.fhirBase}</th><td>${ehr.clientId}<br>${ehr.clientAuthentication ?? 'private_key_jwt'}${ehr.signingAlgorithm ? `, ${ehr.signingAlgorithm}` : ''}</td>
<td>${(ehr.frameOrigins ?? []).length === 0 ? 'pages of its own origin' : (ehr.frameOrigins ?? []).map((origin) => html`${origin}<br>`)}</td><td>${SOURCE_WORDS[source]}</td><td>${ehr.disabled ? 'Disabled' : 'Launches'}${id === undefined ? '' : button}</td></tr>`;
}

const FIELD_WORDS: { readonly [F in EhrField]: { readonly label: string; readonly hint: string; readonly lines?: number; readonly required?: boolean; readonly choices?: readonly string[]; readonly secret?: boolean } } = {
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

function ehrForm({ form, faults = {}, csrf }: EhrsPage): Html {
  const fields = EHR_FIELDS.map((name) => {
    const { label, hint, lines, required, choices, secret } = FIELD_WORDS[name];
    const fault = faults[name];
    const about = { html: `id="${name}" name="${name}" aria-describedby="${name}-hint${fault ? ` ${name}-fault` : ''}"${fault ? ' aria-invalid="true"' : ''}${required ? ' required' : ''}` };
    const value = secret ? '' : (form?.[name] ?? '');
    const control = choices
      ? html`<select ${about}>${choices.map((choice) => html`<option${{ html: choice === value ? ' selected' : '' }}>${choice}</option>`)}</select>`
      : lines ? html`<textarea ${about} rows="${lines}">${value}</textarea>` : html`<input ${about}${{ html: secret ? ' type="password" autocomplete="off"' : '' }} value="${value}">`;
    return html`<label for="${name}">${label}</label><p class="hint" id="${name}-hint">${hint}</p>${fault ? html`<p class="notice" id="${name}-fault">${label} ${fault}</p>` : ''}${control}`;
  });
  return html`${Object.keys(faults).length > 0 ? html`<p class="notice" role="alert">The EHR was not added. See the marked fields.</p>` : ''}<form method="post" action="${EHRS_PATH}">${csrfField(csrf)}${fields}<button>Add EHR</button></form>`;
}

function csrfField(csrf: string): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}">`;
}
