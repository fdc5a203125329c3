import { algorithmsOf, keyFaults } from '../client-trust/client-keys.ts';
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
${clientTable(page)}
<h2 id="add">Add a client</h2>${clientForm(page)}
<h2>Session</h2><form method="post" action="${CLIENTS_PATH}/sign-out">${csrfField(page.csrf)}<button>Sign out</button></form>`;
}

function clientTable({ clients, csrf }: ClientsPage): Html {
  if (clients.length === 0) return html`<p>No client is registered: no signed call is answered.</p>`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="Registered clients"><table><caption>Registered clients</caption><thead><tr><th scope="col">Client</th><th scope="col">Keys</th><th scope="col">FHIR servers that may be read</th><th scope="col">Registered in</th><th scope="col">State</th></tr></thead>
<tbody>${clients.map((known) => clientRow(known, csrf))}</tbody></table></div>`;
}

const SOURCE_WORDS: { readonly [S in KnownClient['source']]: string } = { 'built-in': 'this program', file: 'the clients file', 'admin-page': 'this page' };

function clientRow({ client, source, id }: KnownClient, csrf: string): Html {
  const faults = keyFaults(client.jwks?.keys ?? [], algorithmsOf(client));
  const state = client.disabled ? 'Disabled' : faults.length > 0 && faults.length === client.jwks?.keys.length ? 'Not answered: no key can be used' : 'Answered';
  const change = client.disabled ? 'Enable' : 'Disable';
  const signs = client.algorithms ? html`<br>signs ${client.algorithms.join(', ')}` : '';
  const broken = faults.map(({ index, why }) => html`<br>no. ${index + 1} ${why}`);
  const button = html`<form method="post" action="${CLIENTS_PATH}/${id}/${change.toLowerCase()}">${csrfField(csrf)}<button aria-label="${change} ${client.name ?? client.iss}${client.tenant ? `, tenant ${client.tenant}` : ''}">${change}</button></form>`;
  return html`<tr><th scope="row">${client.name ? html`${client.name}<br>` : ''}${client.iss}${client.tenant ? html`<br>tenant ${client.tenant}` : ''}</th><td>${client.jku ?? `${client.jwks?.keys.length ?? 0} given here: ${(client.jwks?.keys ?? []).map((key) => key.kid).join(', ')}`}${signs}${broken}</td>
<td>${client.fhirServers.length === 0 ? 'none' : client.fhirServers.map((server) => html`${server}<br>`)}</td><td class="words">${SOURCE_WORDS[source]}</td><td class="words">${state}${id === undefined ? '' : button}</td></tr>`;
}

const FIELD_WORDS: { readonly [F in (typeof CLIENT_FIELDS)[number]]: { readonly label: string; readonly hint: string; readonly lines?: number; readonly required?: boolean; readonly choices?: Readonly<Record<string, string>> } } = {
  name: { label: 'Name', hint: 'What you call it. Optional.' },
  iss: { label: 'Issuer (iss)', hint: 'As it stands in the tokens of the client.', required: true },
  tenant: { label: 'Tenant', hint: 'Only tokens of this tenant. Empty: every tenant of the issuer.' },
  jku: { label: 'Address of the keys (jku)', hint: 'https. Either this, or the keys below.' },
  jwks: { label: 'Keys (JWKS)', hint: 'Public keys as JSON, each with its kid.', lines: 6 },
  algorithms: {
    label: 'Signature', hint: 'CDS Hooks recommends ES384 and RS384. Take ES256 from a client that can sign nothing else, such as the public CDS Hooks sandbox.',
    choices: { '': 'ES384 or RS384', ES256: 'ES256 only', 'ES256 ES384 RS384': 'ES256, ES384 or RS384' },
  },
  fhirServers: { label: 'FHIR servers', hint: 'Base addresses that may be read for this client, one in a line. Nothing else is ever read.', lines: 3 },
};

function clientForm({ form, faults = {}, csrf }: ClientsPage): Html {
  const fields = CLIENT_FIELDS.map((name) => {
    const { label, hint, lines, required, choices } = FIELD_WORDS[name];
    const fault = faults[name];
    const about = { html: `id="${name}" name="${name}" aria-describedby="${name}-hint${fault ? ` ${name}-fault` : ''}"${fault ? ' aria-invalid="true"' : ''}${required ? ' required' : ''}` };
    const value = form?.[name] ?? '';
    const control = choices
      ? html`<select ${about}>${Object.entries(choices).map(([choice, words]) => html`<option value="${choice}"${{ html: choice === value ? ' selected' : '' }}>${words}</option>`)}</select>`
      : lines ? html`<textarea ${about} rows="${lines}">${value}</textarea>` : html`<input ${about} value="${value}">`;
    return html`<label for="${name}">${label}</label><p class="hint" id="${name}-hint">${hint}</p>${fault ? html`<p class="notice" id="${name}-fault">${label} ${fault}</p>` : ''}${control}`;
  });
  return html`${Object.keys(faults).length > 0 ? html`<p class="notice" role="alert">The client was not added. See the marked fields.</p>` : ''}<form method="post" action="${CLIENTS_PATH}">${csrfField(csrf)}${fields}<button>Add client</button></form>`;
}

function csrfField(csrf: string): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}">`;
}
