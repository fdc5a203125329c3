import { language } from '../ui/language.ts';
import type { ChartEntry, CoverageInformation } from './ehr-api.ts';
import { en, type EhrWords } from './messages/en.ts';
import { es } from './messages/es.ts';

<<<<<<< HEAD
export const messages = {
  title: 'Sandbox EHR',
  skip: 'Skip to the main part',
  about: 'A practice record with synthetic patients, to try prior authorization from order to decision.',
  worklist: 'Authorization worklist',
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
    catalogEmpty: 'The order catalog is empty.',
    beforeSigning: 'What the payer says before you sign',
  },
  signed: {
    title: (order: string) => `Signed: ${order}`,
    ms: (ms: number) => `The payer service answered in ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms.`,
    failure: 'The order is signed. The payer service could not be asked.',
    failureNext: 'The order stands. Ask the payer by phone, or sign again later.',
    nothing: 'The payer asks for nothing more. No card was sent.',
    noAnswer: 'The payer service sent no coverage information.',
    openPanel: 'Open authorization panel',
    forms: (count: number) => many(count, 'form to fill in', 'forms to fill in'),
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
=======
/* Every word of the sandbox EHR, in the language of the page. */

const words: EhrWords = { en, es }[language];
export const { messages } = words;
export const orderStatusWords: Readonly<Record<string, string>> = words.orderStatus;
>>>>>>> dtr-complete

const OWN_SYSTEM = 'https://openpriorauth.org/CodeSystem/override-reason';
export const ownOverrideReasons = Object.entries(words.overrideReasons).map(([code, display]) => ({ system: OWN_SYSTEM, code, display }));

/** Coverage information in plain words. */
export function coverageWords({ covered, paNeeded, docNeeded }: CoverageInformation): readonly string[] {
  const { coverage } = words;
  const say = (known: Readonly<Record<string, string>>, code: string | undefined, name: string): readonly string[] => (code === undefined ? [] : [known[code] ?? coverage.unknown(name, code)]);
  return [...say(coverage.pa, paNeeded, coverage.names.pa), ...say(coverage.covered, covered, coverage.names.covered), ...say(coverage.doc, docNeeded, coverage.names.doc)];
}

export function nothingNeeded({ paNeeded, docNeeded }: CoverageInformation): boolean {
  return (paNeeded === 'no-auth' || paNeeded === 'satisfied') && docNeeded === undefined;
}

export function entryLine({ date, detail }: ChartEntry): { readonly date: string; readonly detail: string } {
  return { date: date ?? '', detail: detail ?? '' };
}
