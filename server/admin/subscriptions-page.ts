import type { SubscriptionHealth } from '../pas/notifications-health.ts';
import { type Html, html } from '#admin/html.ts';
import { type Row, table } from '#admin/table.ts';
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
${subscriptions.length === 0 ? html`<p>There is none yet: the first request of an organization to a payer makes one.</p>` : table('Subscriptions', [{ name: 'Payer' }, { name: 'For' }, { name: 'State' }, { name: 'Notifications' }, { name: 'Last' }], subscriptions.map(subscriptionRow))}`;
}

function subscriptionRow({ payerId, organizations, status, lastEventNumber, missing, waiting, left, eventsOffered, heardAt, checkedAt, secretSince, lastError }: SubscriptionHealth): Row {
  return {
    heading: payerId,
    cells: [
      organizations.join(', '),
      html`${STATUS_WORDS[status]}${lastError ? html`<br>${lastError}` : ''}`,
      html`${lastEventNumber} received${missing > 0 ? html`<br>${missing} missing` : ''}${waiting > 0 ? html`<br>${waiting} not worked off yet` : ''}${left > 0 ? html`<br>${left} could not be recorded: see the log` : ''}${eventsOffered === false ? html`<br>the payer does not tell missed ones again` : ''}`,
      html`heard ${heardAt ? minuteOf(heardAt) : 'never'}<br>asked ${checkedAt ? minuteOf(checkedAt) : 'never'}<br>secret since ${minuteOf(secretSince)}`,
    ],
  };
}

function minuteOf(instant: string): string {
  return `${instant.slice(0, 16).replace('T', ' ')} UTC`;
}
