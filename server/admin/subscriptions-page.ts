import type { SubscriptionHealth } from '../pas/notifications-health.ts';
import { type Html, html } from './html.ts';
import { PAYERS_PATH } from './payers-page.ts';

const STATUS_WORDS: { readonly [S in SubscriptionHealth['status']]: string } = {
  wanted: 'Being made',
  requested: 'Waits for the payer’s handshake',
  active: 'Works',
  error: 'Does not work: pended requests are followed by inquiry',
  removing: 'Being taken back',
};

/** How the payers' notifications stand. */
export function subscriptionsPage(subscriptions: readonly SubscriptionHealth[]): Html {
  return html`<p>How payers tell us of decisions about pended requests. Each subscription is asked after every few minutes, renewed when the payer has switched it off, and its missed notifications are fetched. <a href="${PAYERS_PATH}">Back to the payers.</a></p>
${subscriptions.length === 0 ? html`<p>There is none yet: the first request of an organization to a payer makes one.</p>` : html`<div class="wide"><table><caption>Subscriptions</caption><thead><tr><th scope="col">Payer</th><th scope="col">For</th><th scope="col">State</th><th scope="col">Notifications</th><th scope="col">Last</th></tr></thead>
<tbody>${subscriptions.map(subscriptionRow)}</tbody></table></div>`}`;
}

function subscriptionRow({ payerId, organizations, status, lastEventNumber, missing, waiting, left, eventsOffered, heardAt, checkedAt, secretSince, lastError }: SubscriptionHealth): Html {
  return html`<tr><th scope="row">${payerId}</th><td>${organizations.join(', ')}</td><td>${STATUS_WORDS[status]}${lastError ? html`<br>${lastError}` : ''}</td>
<td>${lastEventNumber} received${missing > 0 ? html`<br>${missing} missing` : ''}${waiting > 0 ? html`<br>${waiting} not worked off yet` : ''}${left > 0 ? html`<br>${left} could not be recorded: see the log` : ''}${eventsOffered === false ? html`<br>the payer does not tell missed ones again` : ''}</td>
<td>heard ${heardAt ? minuteOf(heardAt) : 'never'}<br>asked ${checkedAt ? minuteOf(checkedAt) : 'never'}<br>secret since ${minuteOf(secretSince)}</td></tr>`;
}

function minuteOf(instant: string): string {
  return `${instant.slice(0, 16).replace('T', ' ')} UTC`;
}
