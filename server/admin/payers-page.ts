import type { ConnectionReport } from '../connections/check-report.ts';
import type { KnownPayer } from '../connections/registered-payers.ts';
import type { RingKey } from '#store/signing-keys.ts';
import { csrfField, faultNotice, type FieldWords, type Form, formFields } from '#admin/form.ts';
import { type Html, html } from '#admin/html.ts';
import { type Row, table } from '#admin/table.ts';
import type { PayerField, PayerForm } from './payer-form.ts';

export const PAYERS_PATH = '/admin/payers';

export interface PayersPage {
  readonly payers: readonly KnownPayer[];
  readonly keys: readonly RingKey[];
  readonly baseUrl: string;
  readonly nowMs: number;
  readonly csrf: string;
  readonly fileFault: string | undefined;
  readonly notice?: string;
  /** A payer to be changed, or a form that was sent and not taken. */
  readonly form?: PayerForm;
  readonly faults?: Partial<Record<PayerField, string>>;
}

export function payersPage(page: PayersPage): Html {
  const form: Form<PayerField> = { fields: FIELD_WORDS, given: page.form, faults: page.faults };
  return html`${faultNotice('The payer was not saved.', form)}${page.notice ? html`<p class="notice" role="status">${page.notice}</p>` : ''}
${page.fileFault ? html`<div class="notice" role="alert"><p>The payers file was changed and cannot be used; what it said before is in force.</p><pre>${page.fileFault}</pre></div>` : ''}
<p>Where prior authorization requests go. A change holds in every process within a few seconds. While a payer is on manual, nothing new is sent to it: staff print the packet and record the payer’s reference number. <a href="${PAYERS_PATH}/notifications">How the payers’ notifications stand</a></p>
${page.payers.length === 0 ? html`<p>No payer is registered: nothing can be sent.</p>` : table('Payers', [{ name: 'Payer' }, { name: 'Address' }, { name: 'How it knows us' }, { name: 'Registered in', words: true }, { name: 'State' }], page.payers.map((known) => payerRow(known, page.csrf)))}
<h2>Our keys</h2><p>Payers find them at <code>${page.baseUrl}/.well-known/jwks.json</code>.</p>
${table('Signing keys', [{ name: 'Key id' }, { name: 'Algorithm' }, { name: 'State' }], page.keys.map((each) => keyRow(each, page.keys, page.nowMs)))}
<form method="post" action="${PAYERS_PATH}/keys/rotate">${csrfField(page.csrf)}<p class="hint" id="rotate-hint">New keys are published now and used in an hour; the old ones stay published for a day after that.</p><button aria-describedby="rotate-hint">Rotate our keys</button></form>
<h2 id="add">Add or change a payer</h2><form method="post" action="${PAYERS_PATH}">${csrfField(page.csrf)}${formFields(form)}<button>Save payer</button></form>
<h2>Session</h2><form method="post" action="${PAYERS_PATH}/sign-out">${csrfField(page.csrf)}<button>Sign out</button></form>`;
}

const SOURCE_WORDS: { readonly [S in KnownPayer['source']]: string } = { file: 'the payers file', 'admin-page': 'this page' };

function payerRow({ payer, source, disabled }: KnownPayer, csrf: string): Row {
  const button = (action: string, words: string): Html => html`<form method="post" action="${PAYERS_PATH}/${payer.id}/${action}">${csrfField(csrf)}<button aria-label="${words}: ${payer.name}">${words}</button></form>`;
  const manual = payer.mode === 'manual';
  const tests = html`${button('test', 'Test the connection')}${(payer.plans ?? []).map((plan) => html`<form method="post" action="${PAYERS_PATH}/${payer.id}~${plan.id}/test">${csrfField(csrf)}<button aria-label="Test plan ${plan.id}: ${payer.name}">Test plan ${plan.id}</button></form>`)}`;
  const change = html`<p><a href="${PAYERS_PATH}?change=${payer.id}#add">Change<span class="skip"> ${payer.name}</span></a></p>${disabled ? button('enable', 'Enable') : button('disable', 'Disable')}`;
  return {
    heading: html`${payer.name}<br>${payer.id}`,
    cells: [
      html`${payer.fhirBase}<br>PAS ${payer.pasVersion}${payer.discoveryBase ? html`<br>endpoints named by ${payer.discoveryBase}` : ''}${(payer.plans ?? []).map((plan) => html`<br>plan ${plan.id}: ${plan.fhirBase}, PAS ${plan.pasVersion}`)}`,
      authenticationWords(payer),
      SOURCE_WORDS[source],
      html`${disabled ? 'Disabled' : html`${manual ? 'Manual' : 'Electronic'}${tests}${manual ? button('mode/electronic', 'Switch to electronic') : button('mode/manual', 'Switch to manual')}`}${source === 'admin-page' ? change : ''}`,
    ],
  };
}

function authenticationWords({ authentication = { kind: 'backend-services' }, tls }: KnownPayer['payer']): Html {
  const words = authentication.kind === 'backend-services' ? `SMART Backend Services, ${authentication.algorithm ?? 'ES384'}${authentication.clientId ? `, client ${authentication.clientId}` : ''}` : authentication.kind === 'header' ? `a fixed header, ${authentication.name}` : 'no token';
  return html`${words}${tls?.certificateFile ? html`<br>client certificate` : ''}${tls?.caFile ? html`<br>own certification authority` : ''}`;
}

function keyRow({ key, generation, useFrom, retireAt }: RingKey, keys: readonly RingKey[], nowMs: number): Row {
  const newer = keys.some((other) => other.key.alg === key.alg && other.generation > generation && other.useFrom <= nowMs);
  const state = retireAt !== undefined && retireAt <= nowMs ? 'Withdrawn' : useFrom > nowMs ? `Published, used from ${minuteOf(useFrom)}` : newer ? `Replaced, published until ${retireAt === undefined ? 'further notice' : minuteOf(retireAt)}` : 'In use';
  return { heading: html`<code>${key.publicJwk.kid}</code>`, cells: [key.alg, state] };
}

function minuteOf(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

const FIELD_WORDS: { readonly [F in PayerField]: FieldWords } = {
  id: { label: 'Id', hint: 'Small letters, digits, dots, hyphens. Policies and cases name the payer by it. An id that is here already changes that payer.', required: true },
  name: { label: 'Name', hint: 'As printed on the member’s card.', required: true },
  organizationIdentifiers: { label: 'Identifiers', hint: 'By which a coverage’s payor is known, one in a line: system|value.', lines: 3, required: true },
  matchNames: { label: 'Other names', hint: 'For payors without a known identifier, one in a line.', lines: 3 },
  fhirBase: { label: 'FHIR base', hint: 'https. Requests go to Claim/$submit under it.', required: true },
  pasVersion: { label: 'PAS version', hint: 'Of this address. Versions stand at different addresses.', choices: ['2.0.1', '2.2.1'] },
  discoveryBase: { label: 'Base of the list of endpoints', hint: 'Where the payer has .well-known/davinci-configuration. Optional.' },
  subscriptions: { label: 'Notifications', hint: 'none: pended requests are followed by inquiry.', choices: ['rest-hook', 'none'] },
  timeZone: { label: 'Time zone', hint: 'IANA name; the payer’s deadlines are reckoned there.', required: true },
  authentication: { label: 'How it knows us', hint: 'none needs a client certificate, or a payer on this machine.', choices: ['backend-services', 'none', 'header'] },
  clientId: { label: 'Client id', hint: 'As the payer registered us. Empty: open-prior-auth-server.' },
  algorithm: { label: 'Signature', hint: 'Of the client assertion.', choices: ['ES384', 'RS384'] },
  scope: { label: 'Scopes', hint: 'Separated by spaces, in place of ours. Optional.' },
  tokenEndpoint: { label: 'Token endpoint', hint: 'For a payer without .well-known/smart-configuration.' },
  certificateFile: { label: 'Client certificate', hint: 'Path of a PEM file on the server, for mutual TLS.' },
  keyFile: { label: 'Its private key', hint: 'Path of a PEM file on the server.' },
  caFile: { label: 'Certification authority', hint: 'Path of a PEM file, where the payer’s certificate is not issued by a public one.' },
  further: { label: 'Further settings (JSON)', hint: 'Plans, quirks, contact, dtr, crd, a fixed header: as in the payers file.', lines: 6 },
};

const STATE_WORDS: { readonly [S in ConnectionReport['steps'][number]['state']]: string } = { ok: '✓ in order', warning: '! look at it', failed: '✗ failed', skipped: '– not tried', unknown: '? not known' };

export function reportPage(report: ConnectionReport): Html {
  return html`<p class="notice" role="status">${report.result === 'ok' ? 'The connection works.' : 'The connection does not work as it is.'} ${report.payerName}, PAS ${report.pasVersion}, ${report.testedAt.slice(0, 16).replace('T', ' ')} UTC. No patient data was sent.</p>
<h2>What was tested</h2><ol class="steps">${report.steps.map(({ name, state, what, todo }) => html`<li><strong>${name}: ${STATE_WORDS[state]}</strong><p>${what}</p>${todo ? html`<p><strong>What to do:</strong> ${todo}</p>` : ''}</li>`)}</ol>
<p><a href="${PAYERS_PATH}">Back to the payers</a></p>`;
}
