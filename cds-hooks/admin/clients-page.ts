import { algorithmsOf, keyFaults } from '../client-trust/client-keys.ts';
import type { KnownClient } from '../client-trust/trusted-clients.ts';
import type { ClientField, ClientForm } from './client-form.ts';
import { csrfField, faultNotice, type FieldWords, type Form, formFields } from '#admin/form.ts';
import { type Html, html } from '#admin/html.ts';
import { type Row, table } from '#admin/table.ts';
import { FEEDBACK_PATH } from './paths.ts';

export const CLIENTS_PATH = '/admin/cds-clients';

export interface ClientsPage {
  readonly clients: readonly KnownClient[];
  readonly csrf: string;
  readonly fileFault: string | undefined;
  readonly notice?: string;
  /** A client to be corrected, or a form that was sent and not taken. */
  readonly form?: ClientForm;
  readonly faults?: Partial<Record<ClientField, string>>;
}

export function clientsPage(page: ClientsPage): Html {
  const form: Form<ClientField> = { fields: FIELD_WORDS, given: page.form, faults: page.faults };
  return html`${faultNotice('The client was not added.', form)}${page.notice ? html`<p class="notice" role="status">${page.notice}</p>` : ''}
${page.fileFault ? html`<div class="notice" role="alert"><p>The clients file was changed and cannot be used; what it said before is in force.</p><pre>${page.fileFault}</pre></div>` : ''}
<p>EHRs and apps whose signed calls are answered. A change holds in every process within a few seconds. <a href="${FEEDBACK_PATH}">Feedback on cards</a></p>
${clientTable(page)}
<h2 id="add">Add a client</h2><form method="post" action="${CLIENTS_PATH}">${csrfField(page.csrf)}${formFields(form)}<button>Add client</button></form>
<h2>Session</h2><form method="post" action="${CLIENTS_PATH}/sign-out">${csrfField(page.csrf)}<button>Sign out</button></form>`;
}

function clientTable({ clients, csrf }: ClientsPage): Html {
  if (clients.length === 0) return html`<p>No client is registered: no signed call is answered.</p>`;
  const columns = [{ name: 'Client' }, { name: 'Keys' }, { name: 'FHIR servers that may be read' }, { name: 'Registered in', words: true }, { name: 'State', words: true }] as const;
  return table('Registered clients', columns, clients.map((known) => clientRow(known, csrf)));
}

export const SOURCE_WORDS: { readonly [S in KnownClient['source']]: string } = { 'built-in': 'this program', file: 'the clients file', 'admin-page': 'this page' };

function clientRow({ client, source, id }: KnownClient, csrf: string): Row {
  const faults = keyFaults(client.jwks?.keys ?? [], algorithmsOf(client));
  const state = client.disabled ? 'Disabled' : faults.length > 0 && faults.length === client.jwks?.keys.length ? 'Not answered: no key can be used' : 'Answered';
  const change = client.disabled ? 'Enable' : 'Disable';
  const signs = client.algorithms ? html`<br>signs ${client.algorithms.join(', ')}` : '';
  const broken = faults.map(({ index, why }) => html`<br>no. ${index + 1} ${why}`);
  const name = `${client.name ?? client.iss}${client.tenant ? `, tenant ${client.tenant}` : ''}`;
  const button = html`<form method="post" action="${CLIENTS_PATH}/${id}/${change.toLowerCase()}">${csrfField(csrf)}<button aria-label="${change} ${name}">${change}</button></form>`;
  const correct = client.disabled ? html`<p><a href="${CLIENTS_PATH}?correct=${id}#add">Correct<span class="skip"> ${name}</span></a></p>` : '';
  return {
    heading: html`${client.name ? html`${client.name}<br>` : ''}${client.iss}${client.tenant ? html`<br>tenant ${client.tenant}` : ''}`,
    cells: [
      html`${client.jku ?? `${client.jwks?.keys.length ?? 0} given here: ${(client.jwks?.keys ?? []).map((key) => key.kid).join(', ')}`}${signs}${broken}`,
      client.fhirServers.length === 0 ? 'none' : html`${client.fhirServers.map((server) => html`${server}<br>`)}`,
      SOURCE_WORDS[source],
      html`${state}${id === undefined ? '' : html`${button}${correct}`}`,
    ],
  };
}

const FIELD_WORDS: { readonly [F in ClientField]: FieldWords } = {
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
