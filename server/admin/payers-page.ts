import type { ConnectionReport } from '../connections/check-report.ts';
import type { KnownPayer } from '../connections/registered-payers.ts';
import type { RingKey } from '#store/signing-keys.ts';
import { type Html, html } from './html.ts';
import { PAYER_FIELDS, type PayerField, type PayerForm } from './payer-form.ts';

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

export function signInPage(wrong: boolean): Html {
  return html`${wrong ? html`<p class="notice" role="alert">That is not the admin token.</p>` : ''}
<form method="post" action="${PAYERS_PATH}/sign-in"><label for="token">Admin token</label><p class="hint" id="token-hint">The value of ADMIN_TOKEN of this installation.</p>
<input id="token" name="token" type="password" autocomplete="current-password" required aria-describedby="token-hint"><button>Sign in</button></form>`;
}

export function payersPage(page: PayersPage): Html {
  return html`${page.notice ? html`<p class="notice" role="status">${page.notice}</p>` : ''}
${page.fileFault ? html`<div class="notice" role="alert"><p>The payers file was changed and cannot be used; what it said before is in force.</p><pre>${page.fileFault}</pre></div>` : ''}
<p>Where prior authorization requests go. A change holds in every process within a few seconds. While a payer is on manual, nothing new is sent to it: staff print the packet and record the payer’s reference number. <a href="${PAYERS_PATH}/notifications">How the payers’ notifications stand</a></p>
<div class="wide" tabindex="0" role="region" aria-label="Payers"><table><caption>Payers</caption><thead><tr><th scope="col">Payer</th><th scope="col">Address</th><th scope="col">How it knows us</th><th scope="col">Registered in</th><th scope="col">State</th></tr></thead>
<tbody>${page.payers.map((known) => payerRow(known, page.csrf))}</tbody></table></div>
<h2>Our keys</h2><p>Payers find them at <code>${page.baseUrl}/.well-known/jwks.json</code>.</p>
<div class="wide" tabindex="0" role="region" aria-label="Signing keys"><table><caption>Signing keys</caption><thead><tr><th scope="col">Key id</th><th scope="col">Algorithm</th><th scope="col">State</th></tr></thead><tbody>${page.keys.map((each) => keyRow(each, page.keys, page.nowMs))}</tbody></table></div>
<form method="post" action="${PAYERS_PATH}/keys/rotate">${csrfField(page.csrf)}<p class="hint" id="rotate-hint">New keys are published now and used in an hour; the old ones stay published for a day after that.</p><button aria-describedby="rotate-hint">Rotate our keys</button></form>
<h2 id="add">Add or change a payer</h2>${payerForm(page)}
<h2>Session</h2><form method="post" action="${PAYERS_PATH}/sign-out">${csrfField(page.csrf)}<button>Sign out</button></form>`;
}

const SOURCE_WORDS: { readonly [S in KnownPayer['source']]: string } = { file: 'the payers file', 'admin-page': 'this page' };

function payerRow({ payer, source, disabled }: KnownPayer, csrf: string): Html {
  const button = (action: string, words: string): Html => html`<form method="post" action="${PAYERS_PATH}/${payer.id}/${action}">${csrfField(csrf)}<button aria-label="${words}: ${payer.name}">${words}</button></form>`;
  const manual = payer.mode === 'manual';
  return html`<tr><th scope="row">${payer.name}<br>${payer.id}</th><td>${payer.fhirBase}<br>PAS ${payer.pasVersion}${payer.discoveryBase ? html`<br>endpoints named by ${payer.discoveryBase}` : ''}${(payer.plans ?? []).map((plan) => html`<br>plan ${plan.id}: ${plan.fhirBase}, PAS ${plan.pasVersion}`)}</td>
<td>${authenticationWords(payer)}</td><td>${SOURCE_WORDS[source]}</td><td>${disabled ? 'Disabled' : manual ? 'Manual' : 'Electronic'}${disabled ? '' : html`${button('test', 'Test the connection')}${(payer.plans ?? []).map((plan) => html`<form method="post" action="${PAYERS_PATH}/${payer.id}~${plan.id}/test">${csrfField(csrf)}<button aria-label="Test plan ${plan.id}: ${payer.name}">Test plan ${plan.id}</button></form>`)}${manual ? button('mode/electronic', 'Switch to electronic') : button('mode/manual', 'Switch to manual')}`}
${source === 'admin-page' ? html`<p><a href="${PAYERS_PATH}?change=${payer.id}#add">Change<span class="skip"> ${payer.name}</span></a></p>${disabled ? button('enable', 'Enable') : button('disable', 'Disable')}` : ''}</td></tr>`;
}

function authenticationWords({ authentication = { kind: 'backend-services' }, tls }: KnownPayer['payer']): Html {
  const words = authentication.kind === 'backend-services' ? `SMART Backend Services, ${authentication.algorithm ?? 'ES384'}${authentication.clientId ? `, client ${authentication.clientId}` : ''}` : authentication.kind === 'header' ? `a fixed header, ${authentication.name}` : 'no token';
  return html`${words}${tls?.certificateFile ? html`<br>client certificate` : ''}${tls?.caFile ? html`<br>own certification authority` : ''}`;
}

function keyRow({ key, generation, useFrom, retireAt }: RingKey, keys: readonly RingKey[], nowMs: number): Html {
  const newer = keys.some((other) => other.key.alg === key.alg && other.generation > generation && other.useFrom <= nowMs);
  const state = retireAt !== undefined && retireAt <= nowMs ? 'Withdrawn' : useFrom > nowMs ? `Published, used from ${minuteOf(useFrom)}` : newer ? `Replaced, published until ${retireAt === undefined ? 'further notice' : minuteOf(retireAt)}` : 'In use';
  return html`<tr><th scope="row"><code>${key.publicJwk.kid}</code></th><td>${key.alg}</td><td>${state}</td></tr>`;
}

function minuteOf(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

const FIELD_WORDS: { readonly [F in PayerField]: { readonly label: string; readonly hint: string; readonly lines?: number; readonly required?: boolean; readonly choices?: readonly string[] } } = {
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

function payerForm({ form, faults = {}, csrf }: PayersPage): Html {
  const fields = PAYER_FIELDS.map((name) => {
    const { label, hint, lines, required, choices } = FIELD_WORDS[name];
    const fault = faults[name];
    const about = { html: `id="${name}" name="${name}" aria-describedby="${name}-hint${fault ? ` ${name}-fault` : ''}"${fault ? ' aria-invalid="true"' : ''}${required ? ' required' : ''}` };
    const value = form?.[name] ?? '';
    const control = choices
      ? html`<select ${about}>${choices.map((choice) => html`<option${{ html: choice === value ? ' selected' : '' }}>${choice}</option>`)}</select>`
      : lines ? html`<textarea ${about} rows="${lines}">${value}</textarea>` : html`<input ${about} value="${value}">`;
    return html`<label for="${name}">${label}</label><p class="hint" id="${name}-hint">${hint}</p>${fault ? html`<p class="notice" id="${name}-fault">${label} ${fault}</p>` : ''}${control}`;
  });
  return html`${Object.keys(faults).length > 0 ? html`<p class="notice" role="alert">The payer was not saved. See the marked fields.</p>` : ''}<form method="post" action="${PAYERS_PATH}">${csrfField(csrf)}${fields}<button>Save payer</button></form>`;
}

const STATE_WORDS: { readonly [S in ConnectionReport['steps'][number]['state']]: string } = { ok: '✓ in order', warning: '! look at it', failed: '✗ failed', skipped: '– not tried', unknown: '? not known' };

export function reportPage(report: ConnectionReport): Html {
  return html`<p class="notice" role="status">${report.result === 'ok' ? 'The connection works.' : 'The connection does not work as it is.'} ${report.payerName}, PAS ${report.pasVersion}, ${report.testedAt.slice(0, 16).replace('T', ' ')} UTC. No patient data was sent.</p>
<h2>What was tested</h2><ol class="steps">${report.steps.map(({ name, state, what, todo }) => html`<li><strong>${name}: ${STATE_WORDS[state]}</strong><p>${what}</p>${todo ? html`<p><strong>What to do:</strong> ${todo}</p>` : ''}</li>`)}</ol>
<p><a href="${PAYERS_PATH}">Back to the payers</a></p>`;
}

function csrfField(csrf: string): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}">`;
}
