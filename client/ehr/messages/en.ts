import type { Card } from '../ehr-api.ts';
import { many } from '../../messages/many.ts';

const messages = {
  title: 'Sandbox EHR',
  skip: 'Skip to the main part',
  about: 'A practice record with synthetic patients, to try prior authorization from order to decision.',
  worklist: 'Authorization worklist',
  apps: 'Apps',
  loading: 'Loading…',
  signIn: { title: 'Who are you?', text: 'Choose a clinician. There is no password: nobody here is real.', none: 'There is no clinician in this record yet.', noneNext: 'Load a record first: npm run ehr:load -- FILE' },
  patients: {
    title: 'Patients',
    search: 'Search patients',
    hint: 'Name',
    count: (count: number) => many(count, 'patient', 'patients'),
    none: 'No patient fits this search.',
    empty: 'There is no patient in this record yet.',
    noCoverage: 'No coverage on record',
    born: 'Born',
    mrn: 'MRN',
    unknown: 'not on record',
  },
  chart: {
    back: 'All patients',
    loading: 'Opening the chart…',
    sections: { coverages: 'Coverage', conditions: 'Conditions', observations: 'Observations', procedures: 'Procedures', medications: 'Medications', documents: 'Documents' },
    empty: 'None on record',
    orders: 'Orders',
    noOrders: 'No order yet. Write one to see what the payer asks.',
    undated: 'no date',
    sign: 'Sign',
    askPayer: 'Ask the payer',
    signing: 'Signing…',
    showAnswer: 'What the payer said',
  },
  order: {
    title: 'New order',
    what: 'What to order',
    choose: 'Choose…',
    quantity: (unit: string) => (unit === '' ? 'Quantity (optional)' : `Quantity in ${unit} (optional)`),
    badQuantity: 'Enter a number above 0, or leave it empty.',
    priority: 'Priority',
    priorities: { routine: 'Routine', urgent: 'Urgent', asap: 'As soon as possible', stat: 'Immediately' },
    reason: 'Reason',
    noReason: 'No reason chosen',
    noConditions: 'The chart has no condition to choose.',
    note: 'Note (optional)',
    signNow: 'Sign order',
    signing: 'Asking the payer…',
    saveDraft: 'Save as draft',
    missingWhat: 'Choose what to order.',
    notSigned: 'The order is kept below, in the list of orders. Sign it there; do not write it again.',
    catalogEmpty: 'The order catalog is empty.',
    beforeSigning: 'What the payer says before you sign',
  },
  signed: {
    title: (order: string) => `Signed: ${order}`,
    ms: (ms: number) => `The payer service answered in ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms.`,
    failure: {
      refused: { title: 'The order is signed. The payer service gave no answer about it.', next: 'The order stands. Check the patient’s coverage on record, then choose “Ask the payer” in the list of orders. If the coverage is right, ask the payer by phone.' },
      failed: { title: 'The order is signed. The payer service could not be asked.', next: 'The order stands. Ask the payer by phone, or choose “Ask the payer” in the list of orders later.' },
    },
    nothing: 'The payer asks for nothing more. No card was sent.',
    noAnswer: 'The payer service sent no coverage information.',
    openPanel: 'Open authorization panel',
    forms: (count: number) => many(count, 'form to fill in', 'forms to fill in'),
    why: 'Why:',
    info: 'The payer also wants to know',
    contact: 'Contact',
    assertion: 'Reference',
  },
  card: {
    indicators: { info: 'Information', warning: 'Attention', critical: 'Important', 'hard-stop': 'Important' } satisfies Record<Card['indicator'], string>,
    source: (label: string) => `From ${label}`,
    accept: 'Useful',
    override: 'Not followed…',
    why: 'Why is it not followed?',
    chooseReason: 'Choose a reason',
    ownWords: 'Another reason',
    comment: 'In your words',
    send: 'Send',
    cancel: 'Cancel',
    done: (label: string) => `Done: ${label}`,
    accepted: 'Thank you. Recorded as useful.',
    overridden: 'Thank you. Recorded as not followed.',
    newTab: 'opens a new tab',
  },
  panel: { title: 'Authorization panel', close: 'Close the panel', region: 'Authorization panel beside the chart' },
};

/** The clinician's reasons when the card brings none (CDS Hooks lets a client have its own). */
const overrideReasons = {
  'patient-preference': 'The patient prefers otherwise',
  'clinical-judgement': 'Clinical judgement',
  'already-done': 'Already done',
  'not-applicable': 'Does not apply to this patient',
};

/** Coverage-information codes. A code that nobody knows is shown as unknown. */
const coverage = {
  unknown: (name: string, code: string) => `${name}: unknown (${code})`,
  names: { pa: 'Prior authorization', covered: 'Coverage', doc: 'Documentation' },
  covered: { covered: 'Covered by the plan', 'not-covered': 'Not covered by the plan', conditional: 'Covered under conditions' },
  pa: {
    'auth-needed': 'Prior authorization is needed', 'no-auth': 'No prior authorization is needed', satisfied: 'An authorization is already in place',
    performpa: 'The performer must ask for prior authorization', conditional: 'Prior authorization may be needed',
  },
  info: { performer: 'who performs the service', location: 'where it is performed', timeframe: 'when it is performed', 'contract-window': 'the contract period', 'detail-code': 'a more exact code' },
  doc: { clinical: 'Clinical documentation is asked for', admin: 'Administrative documentation is asked for', both: 'Clinical and administrative documentation is asked for', conditional: 'Documentation may be asked for' },
};

const orderStatus = { draft: 'Draft', active: 'Signed', 'on-hold': 'On hold', revoked: 'Revoked', completed: 'Completed', 'entered-in-error': 'Entered in error', unknown: 'Unknown' };

export const en = { messages, overrideReasons, coverage, orderStatus };
export type EhrWords = typeof en;
