import type { KnownClient } from '../client-trust/trusted-clients.ts';
import { CLIENT_FIELDS, type ClientForm } from './client-form.ts';
import { type Html, html } from '#admin/html.ts';
import { FEEDBACK_PATH } from './paths.ts';

export const CLIENTS_PATH = '/admin/cds-clients';

export interface ClientsPage {
  readonly clients: readonly KnownClient[];
  readonly csrf: string;
  readonly fileFault: string | undefined;
  readonly notice?: string;
  /** A form that was sent and not taken. */
  readonly form?: ClientForm;
  readonly faults?: Partial<Record<(typeof CLIENT_FIELDS)[number], string>>;
}

export function clientsPage(page: ClientsPage): Html {
  return html`${page.notice ? html`<p class="notice" role="status">${page.notice}</p>` : ''}
${page.fileFault ? html`<div class="notice" role="alert"><p>The clients file was changed and cannot be used; what it said before is in force.</p><pre>${page.fileFault}</pre></div>` : ''}
<p>EHRs and apps whose signed calls are answered. A change holds in every process within a few seconds. <a href="${FEEDBACK_PATH}">Feedback on cards</a></p>
<div class="wide"><table><caption>Registered clients</caption><thead><tr><th scope="col">Client</th><th scope="col">Keys</th><th scope="col">FHIR servers that may be read</th><th scope="col">Registered in</th><th scope="col">State</th></tr></thead>
<tbody>${page.clients.map((known) => clientRow(known, page.csrf))}</tbody></table></div>
<h2 id="add">Add a client</h2>${clientForm(page)}
<h2>Session</h2><form method="post" action="${CLIENTS_PATH}/sign-out">${csrfField(page.csrf)}<button>Sign out</button></form>`;
}

const SOURCE_WORDS: { readonly [S in KnownClient['source']]: string } = { 'built-in': 'this program', file: 'the clients file', 'admin-page': 'this page' };

function clientRow({ client, source, id }: KnownClient, csrf: string): Html {
  const state = client.disabled ? 'Disabled' : 'Answered';
  const change = client.disabled ? 'Enable' : 'Disable';
  const button = html`<form method="post" action="${CLIENTS_PATH}/${id}/${change.toLowerCase()}">${csrfField(csrf)}<button aria-label="${change} ${client.name ?? client.iss}${client.tenant ? `, tenant ${client.tenant}` : ''}">${change}</button></form>`;
  return html`<tr><th scope="row">${client.name ? html`${client.name}<br>` : ''}${client.iss}${client.tenant ? html`<br>tenant ${client.tenant}` : ''}</th><td>${client.jku ?? `${client.jwks?.keys.length ?? 0} given here: ${(client.jwks?.keys ?? []).map((key) => key.kid).join(', ')}`}</td>
<td>${client.fhirServers.length === 0 ? 'none' : client.fhirServers.map((server) => html`${server}<br>`)}</td><td>${SOURCE_WORDS[source]}</td><td>${state}${id === undefined ? '' : button}</td></tr>`;
}

const FIELD_WORDS: { readonly [F in (typeof CLIENT_FIELDS)[number]]: { readonly label: string; readonly hint: string; readonly lines?: number; readonly required?: boolean } } = {
  name: { label: 'Name', hint: 'What you call it. Optional.' },
  iss: { label: 'Issuer (iss)', hint: 'As it stands in the tokens of the client.', required: true },
  tenant: { label: 'Tenant', hint: 'Only tokens of this tenant. Empty: every tenant of the issuer.' },
  jku: { label: 'Address of the keys (jku)', hint: 'https. Either this, or the keys below.' },
  jwks: { label: 'Keys (JWKS)', hint: 'Public keys as JSON, each with its kid.', lines: 6 },
  fhirServers: { label: 'FHIR servers', hint: 'Base addresses that may be read for this client, one in a line. Nothing else is ever read.', lines: 3 },
};

function clientForm({ form, faults = {}, csrf }: ClientsPage): Html {
  const fields = CLIENT_FIELDS.map((name) => {
    const { label, hint, lines, required } = FIELD_WORDS[name];
    const fault = faults[name];
    const about = { html: `id="${name}" name="${name}" aria-describedby="${name}-hint${fault ? ` ${name}-fault` : ''}"${fault ? ' aria-invalid="true"' : ''}${required ? ' required' : ''}` };
    const value = form?.[name] ?? '';
    return html`<label for="${name}">${label}</label><p class="hint" id="${name}-hint">${hint}</p>${fault ? html`<p class="notice" id="${name}-fault">${label} ${fault}</p>` : ''}${lines ? html`<textarea ${about} rows="${lines}">${value}</textarea>` : html`<input ${about} value="${value}">`}`;
  });
  return html`${Object.keys(faults).length > 0 ? html`<p class="notice" role="alert">The client was not added. See the marked fields.</p>` : ''}<form method="post" action="${CLIENTS_PATH}">${csrfField(csrf)}${fields}<button>Add client</button></form>`;
}

function csrfField(csrf: string): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}">`;
}
