import type { SmartClient } from './client.ts';
import { escapeHtml, page } from './pages.ts';

export const REGISTER_FIELDS = ['name', 'redirectUris', 'authentication', 'jwksUri', 'scope', 'fhirContextForm', 'needPatientBanner', 'style'] as const;
export const LAUNCH_FIELDS = ['launchUrl', 'patient', 'encounter', 'fhirContext', 'intent'] as const;

type Fields = Readonly<Record<string, string>>;

export interface AppsPage {
  readonly fhirBase: string;
  readonly patients: readonly { readonly id: string; readonly label: string }[];
  readonly apps: readonly SmartClient[];
  /** Just registered: its id, and its secret for the only time. */
  readonly added?: SmartClient;
  /** Forms that were sent and not taken. */
  readonly register?: Fields;
  readonly launch?: Fields;
  readonly faults?: Fields;
}

const SCOPES = 'openid fhirUser launch launch/patient offline_access patient/*.rs patient/QuestionnaireResponse.cu';

export function appsPage({ fhirBase, patients, apps, added, register = {}, launch = {}, faults = {} }: AppsPage): string {
  const field = (name: string, label: string, hint: string, control: (about: string) => string): string => {
    const fault = faults[name];
    const about = `id="${name}" name="${name}" aria-describedby="${name}-hint"${fault ? ' aria-invalid="true"' : ''}`;
    return `<p><label for="${name}">${label}</label><small id="${name}-hint">${hint}${fault ? ` <strong role="alert">${label}: ${escapeHtml(fault)}</strong>` : ''}</small>${control(about)}</p>`;
  };
  const input = (value: string | undefined, more = '') => (about: string): string => `<input ${about}${more} value="${escapeHtml(value ?? '')}">`;
  const lines = (value: string | undefined, rows: number) => (about: string): string => `<textarea ${about} rows="${rows}">${escapeHtml(value ?? '')}</textarea>`;
  const choice = (value: string | undefined, choices: readonly (readonly [string, string])[]) => (about: string): string =>
    `<select ${about}>${choices.map(([code, label]) => `<option value="${escapeHtml(code)}"${code === value ? ' selected' : ''}>${escapeHtml(label)}</option>`).join('')}</select>`;
  const tick = (name: string, label: string): string => `<label><input type="checkbox" name="${name}" value="yes"${register['name'] === undefined || register[name] === 'yes' ? ' checked' : ''}> ${label}</label>`;

  return page('Apps', `${added ? addedNote(added) : ''}${faults['form'] ? `<p role="alert">The form ${escapeHtml(faults['form'])}.</p>` : ''}
<p>FHIR base (iss): <code>${escapeHtml(fhirBase)}</code>. <a href="/">Back to the sandbox EHR</a></p>
<section aria-labelledby="launch-an-app"><h2 id="launch-an-app">Launch an app</h2><form method="post" action="/ehr/apps/launch">
${field('launchUrl', 'Launch URL', 'Of any registered app; iss and launch are added.', input(launch['launchUrl'], ' type="url" required'))}
${field('patient', 'Patient', 'Whose chart it is.', choice(launch['patient'], patients.map(({ id, label }) => [id, label] as const)))}
${field('encounter', 'Encounter', 'Its id. Optional.', input(launch['encounter']))}
${field('fhirContext', 'fhirContext', 'References such as DeviceRequest/123, one in a line. Optional.', lines(launch['fhirContext'], 2))}
${field('intent', 'Intent', 'Optional.', input(launch['intent']))}
<button type="submit">Launch</button></form></section>
<section aria-labelledby="register-an-app"><h2 id="register-an-app">Register an app</h2><form method="post" action="/ehr/apps">
${field('name', 'Name', 'What you call it.', input(register['name'], ' required'))}
${field('redirectUris', 'Redirect URIs', 'One in a line, exactly as the app sends them.', lines(register['redirectUris'], 2))}
${field('authentication', 'Client authentication', 'How the app proves itself at the token endpoint.', choice(register['authentication'], [['none', 'none: public app'], ['client_secret_basic', 'secret in the header'], ['client_secret_post', 'secret in the form'], ['private_key_jwt', 'private_key_jwt, ES384 or RS384']]))}
${field('jwksUri', 'Address of its keys (JWKS)', 'For private_key_jwt.', input(register['jwksUri']))}
${field('scope', 'Scopes', 'It may ask for these, in SMART v1 or v2, and for narrower ones.', lines(register['scope'] ?? SCOPES, 3))}
${field('fhirContextForm', 'Form of fhirContext', 'Objects since SMART 2.1, strings before.', choice(register['fhirContextForm'], [['object', 'objects'], ['string', 'strings']]))}
${tick('needPatientBanner', 'need_patient_banner')}${tick('style', 'smart_style_url')}
<button type="submit">Register</button></form></section>
<section aria-labelledby="registered-apps"><h2 id="registered-apps">Registered apps</h2><ul>${apps.map(({ name, clientId }) => `<li>${escapeHtml(name)} <code>${escapeHtml(clientId)}</code></li>`).join('')}</ul></section>`);
}

function addedNote({ name, clientId, secret }: SmartClient): string {
  return `<div role="status"><p>${escapeHtml(name)} is registered. Client id: <code>${escapeHtml(clientId)}</code></p>${secret === undefined ? '' : `<p>Client secret, shown only now: <code>${escapeHtml(secret)}</code></p>`}</div>`;
}
