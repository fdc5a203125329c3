import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import type { DenialRisk } from '#prior-auth/learning/denial-risk.ts';
import type { RequestedService } from '#prior-auth/order/requested-service.ts';
import { many } from '../../messages/many.ts';
import { actionWords } from './actions-en.ts';
import { askWords, decisionWords } from './decision-en.ts';
import { reviewWords } from './review-en.ts';

/* Every word of the panel, in English. The Spanish beside it has the same type: a line missing there does not compile. */

const bands = { low: 'Low', medium: 'Medium', high: 'High' } satisfies Record<DenialRisk['band'], string>;

const messages = {
  title: 'Prior authorization',
  skip: 'Skip to the current step',
  opening: 'Opening the case…',
  steps: { label: 'Steps of this authorization', questionnaire: 'Questions', review: 'Review', decision: 'Decision' },
  signedInAs: (name: string) => `Signed in as ${name}`,
  synthetic: 'Demonstration system: every patient and payer is synthetic.',
  expired: {
    title: 'This session has ended',
    text: 'For the patient’s safety the panel closes after a while.',
    next: 'Close this panel and open it again from the chart. Answers marked as saved are kept.',
  },
  noSession: {
    title: 'Open this panel from a chart',
    text: 'The panel works on one order of one patient and has to be told which.',
    next: 'Go back to the patient’s chart, choose the order and press “Open authorization panel”.',
    loading: 'Looking for EHRs…',
    standalone: 'Or sign in and choose the patient there',
    signInAt: (ehr: string) => `Sign in at ${ehr}`,
  },
  choose: {
    title: 'Which order is it about?',
    loading: 'Looking for orders of this patient…',
    none: 'This patient has no open order and no form in progress. Write the order in the EHR, sign it, and open the panel from there.',
    open: 'Open',
    goOn: 'Go on',
    states: { 'in-progress': 'Form in progress', 'authorization-needed': 'Authorization needed', 'nothing-needed': 'No authorization needed', 'not-asked': 'Payer not asked yet' },
    notAsked: 'Sign the order in the EHR, so that the payer is asked.',
    inEncounter: 'of this visit',
    unread: (types: string) => `The EHR did not let the panel look for: ${types}.`,
  },
  notGranted: { title: 'The EHR did not give the panel every right', next: 'Ask whoever looks after the EHR to grant these scopes to the panel.', cannot: (_scope: string, english: string) => english },
  banner: { label: 'Patient', born: 'Born', mrn: 'MRN', unknownBirth: 'birth date unknown', unknownMrn: 'not on record', genders: { male: 'male', female: 'female', other: 'other', unknown: 'unknown' } },
  order: {
    title: 'Order',
    reason: 'Reason for the order',
    noReason: 'No reason is on the order',
    priorities: { routine: 'Routine', urgent: 'Urgent', asap: 'As soon as possible', stat: 'Immediately' } satisfies Record<RequestedService['priority'], string>,
  },
  requirement: {
    title: 'What the payer asks',
    asked: 'What the payer asked',
    reasons: 'Why, and what else is asked',
    policy: 'Policy',
    revision: (revision: string) => `revision ${revision}`,
    determined: 'Determined on',
    assertion: 'Reference of this determination',
    formCount: (count: number) => many(count, 'form to fill in', 'forms to fill in'),
    info: 'The payer also wants to know',
  },
  risk: {
    bands,
    line: (band: DenialRisk['band']) => `${bands[band]} denial risk`,
    simulated: 'simulated',
    percent: (percent: number) => `About ${percent} in 100 such requests are denied.`,
    reasons: 'What moves the estimate',
    raises: 'raises the risk',
    lowers: 'lowers the risk',
    simulatedLong: 'This estimate was learned from simulated decisions, not from a payer’s. Do not base care on it.',
    model: (version: string) => `Model ${version}`,
    noReasons: 'No single fact stands out.',
    lowering: 'What would lower it',
    loweredTo: (percent: number) => `to about ${percent} in 100`,
    history: (decisions: number, asOf: string, simulated: boolean) => `Takes ${many(decisions, 'decision', 'decisions')}${simulated ? ' (simulated)' : ''} of the last year into account, as known here on ${asOf}.`,
    noHistory: 'No decisions of payers were on record here; the model’s own averages stand in for them.',
  },
  form: {
    several: 'Forms of this payer',
    done: 'complete',
    open: 'open',
    none: 'The payer asks no questions for this order.',
    noneNext: 'Go on to the review.',
    reading: 'Reading the record…',
    readingLong: 'You may begin to answer: what you enter is kept.',
    readingParts: (done: number, total: number) => `${done} of ${total} parts read`,
    calculating: 'Working out the answers.',
    filled: (count: number) => (count === 0 ? 'The record answered none of the questions.' : `${many(count, 'answer', 'answers')} filled in from the record.`),
    populationFailed: 'The record could not be read to the end.',
    populationFailedNext: 'Answer the questions yourself, or read the record again.',
    populationWarnings: (count: number) => `${many(count, 'note', 'notes')} on reading the record`,
    readAgain: 'Read the record again',
    gaps: (count: number) => (count === 0 ? 'No answer is missing' : `${many(count, 'answer is', 'answers are')} missing`),
    problems: (count: number) => `${many(count, 'answer needs', 'answers need')} a correction`,
    noGaps: 'Check the answers from the record if you like, then complete the form.',
    answered: (answered: number, questions: number) => `${answered} of ${many(questions, 'question', 'questions')} answered`,
    nextGap: 'Next missing answer',
    nextProblem: 'Next correction',
    complete: 'Complete and review',
    required: 'needed',
    help: 'Help',
    supportLink: 'More from the payer (opens a new tab)',
    supportLinkOf: (label: string) => `${label} (opens a new tab)`,
    clearMine: 'Clear my change',
    offers: 'Found in the record',
    use: (label: string) => `Use ${label}`,
    used: 'in use',
    moreOffers: (count: number) => `${count} more`,
    beside: 'In the record',
    lookup: (name: string) => `The payer has a form that helps to find this answer: ${name}.`,
    format: (format: string) => `Form: ${format}`,
    fileTypes: (types: string) => `Types: ${types}.`,
    unknownType: (type: string) => `The payer’s form asks for an answer of kind “${type}”, which is not known here. Answer in words.`,
    unknownControl: (control: string) => `The payer’s form wants this shown as “${control}”, which is not known here.`,
    search: { hint: 'Type to search', searching: 'Searching…', none: 'Nothing found.', more: 'There is more: type on to narrow it down.', found: (count: number) => many(count, 'match', 'matches'), failed: 'The search did not work. Try again.', chosen: (label: string) => `Chosen: ${label}` },
    references: { search: 'Search the record', byHand: 'Enter a reference instead', fromRecord: 'Search the record instead', types: (types: string) => `Of kind: ${types}.`, profiles: (profiles: string) => `The payer wants: ${profiles}.` },
    signature: {
      title: 'Signature',
      asked: (kind: string) => `The payer asks for a signature: ${kind}.`,
      missing: (label: string) => `Sign: ${label}`,
      statement: 'I have checked these answers, and to the best of my knowledge they are true and complete.',
      name: 'Your full name',
      sign: 'Sign',
      signed: (name: string, when: string) => `Signed by ${name}, ${when}`,
      remove: 'Take the signature away',
      falls: 'A change to what was signed takes the signature away.',
    },
    nextPart: 'Next question',
    partOf: (position: number, count: number) => `Part ${position} of ${count}`,
    oneWay: 'The payer wants these answered in order. An answer cannot be changed after you go on.',
    inOrder: 'The payer wants these answered in order.',
    performers: (types: string) => `To be filled in by: ${types}.`,
    yes: 'Yes',
    no: 'No',
    choose: 'Choose…',
    clear: 'Clear the answer',
    add: 'Add another answer',
    addOf: (label: string) => `Add another answer to ${label}`,
    remove: 'Remove',
    removeOf: (label: string, position: number) => `Remove answer ${position} of ${label}`,
    answerOf: (label: string, position: number) => `${label}, answer ${position}`,
    addGroup: 'Add another entry',
    removeGroup: (position: number) => `Remove entry ${position}`,
    entry: (position: number, count: number) => `Entry ${position} of ${count}`,
    other: 'Other',
    otherWords: 'In other words',
    notOffered: (label: string) => `${label} (not one of the payer’s choices)`,
    unit: 'Unit',
    unanswered: 'No answer',
    notNumber: 'Enter a number, with a point for decimals.',
    notInteger: 'Enter a whole number.',
    notDate: 'Enter a date as YYYY-MM-DD, YYYY-MM or YYYY.',
    notDateTime: 'Enter a date and time.',
    notReference: 'Enter a resource type and id, for example Observation/123.',
    partialDate: 'The record has only this part of the date.',
    referenceHint: 'Resource type and id as in the chart, for example Observation/123.',
    fileHint: (kB: number) => `One file of at most ${kB} kB.`,
    fileTooLarge: (kB: number) => `This file is larger than ${kB} kB. Choose a smaller one.`,
    fileUnreadable: 'The file could not be read. Choose it again.',
    fileKept: (title: string) => `Attached: ${title}`,
    unnamedFile: 'file without a name',
    adaptive: {
      intro: 'The payer asks a few questions at a time.',
      asking: 'Asking the payer for its next questions…',
      more: (rounds: number) => `The payer has asked ${rounds} times so far.`,
      refused: 'The payer does not accept these answers yet',
      start: 'Ask for the first questions',
      next: 'Next questions',
    },
    toDo: 'What is left to do',
    andMore: (count: number) => `and ${count} more further down`,
    facts: { title: 'About this form', source: 'From', version: 'Version', authored: 'Last changed', author: 'By', unknown: 'not said' },
    engineMissing: 'Calculated answers could not be loaded. They are checked again when the form is completed.',
  },
  origin: {
    auto: 'From the record',
    overrideYou: 'Changed by you',
    overrideOther: (name: string) => `Changed by ${name}`,
    manualYou: 'Entered by you',
    manualOther: (name: string) => `Entered by ${name}`,
    someone: 'someone else',
    showSource: (label: string) => `Show where the record says this: ${label}`,
    recordSays: 'See the record',
  },
  source: {
    title: 'In the record',
    loading: 'Reading the record…',
    dated: (date: string) => `Dated ${date}`,
    undated: 'No date on record',
    raw: 'As stored (FHIR)',
    empty: 'This entry has nothing more to show.',
  },
  save: {
    untouched: 'Changes are saved by themselves',
    dropped: (count: number) => `${many(count, 'change', 'changes')} of yours had no place in the newer form. Look through the answers.`,
    savedAt: (time: string) => `Saved at ${time}`,
    unsaved: 'Not saved yet',
    saving: 'Saving…',
    failed: 'Not saved',
    saveNow: 'Save now',
    noConnection: 'Not saved yet: no connection.',
    serverTrouble: 'Not saved yet: the server has a problem.',
    kept: 'Your answers are kept here; trying again.',
    conflictTitle: 'Someone else changed this form',
  },
  attestation: {
    asked: 'By completing this form you state:',
    statement: 'I have looked through these answers. To the best of my knowledge they are true and agree with the patient’s record.',
  },
  merge: {
    differ: (count: number) => `You both changed ${many(count, 'answer', 'answers')}, each differently. Everything else is merged already.`,
    compare: 'Compare and choose',
    title: 'Which answer is right?',
    intro: 'Someone else changed the same answers. Choose for each; nothing is lost before you do.',
    mine: 'Yours',
    theirs: 'Theirs',
    nothing: 'No answer',
    by: (name: string, at: string | undefined) => (at === undefined ? name : `${name}, ${at}`),
    fromRecord: 'From the record',
    allMine: 'All of mine',
    allTheirs: 'All of theirs',
    use: 'Use these answers',
    joined: (count: number, by: string | undefined) => `${many(count, 'answer', 'answers')} of ${by ?? 'someone else'} taken in.`,
    unsettledTitle: 'The record system has other answers',
    unsettled: (count: number) => `${many(count, 'answer differs', 'answers differ')} from what someone saved there. Choose before you complete the form.`,
  },
  handOver: {
    title: 'Hand over to a colleague',
    open: 'Hand over…',
    to: 'To whom',
    search: 'Search by name or role',
    none: 'The record system knows no colleague of this name.',
    more: 'More colleagues match than are shown. Type more of the name.',
    note: 'Note for the colleague',
    send: 'Hand over',
    pass: 'Hand to someone else…',
    cancel: 'Take back',
    take: 'Take over',
    notMe: 'Not me…',
    handed: (by: string, to: string, at: string) => `${by} handed this case to ${to} on ${at}.`,
    taken: (name: string) => `${name} is working on it.`,
    toYou: 'This case was handed to you.',
    missing: 'Still missing',
    nothingMissing: 'No required answer was missing.',
    onlyHere: 'The record system did not take the task (the app may lack the right to write tasks there). It is shown in this program’s worklist only.',
    done: 'Handed-over work is complete.',
    badge: 'Handed over',
  },
  packet: {
    open: 'Print or save the packet',
    title: 'Packet for the payer',
    intro: 'For a payer that takes no electronic request: everything of this case on paper.',
    loading: 'Putting the packet together…',
    print: 'Print',
    pdf: 'Save as PDF',
    made: (at: string) => `Made ${at}`,
    caseNumber: 'Case',
    noEntries: 'None',
    noAnswers: 'No answers',
  },
  progress: (answered: number, questions: number, missing: number) => (missing === 0 ? `${answered} of ${questions} answered` : `${answered} of ${questions} answered, ${missing} missing`),
  allForms: (done: number, all: number) => `${done} of ${many(all, 'form', 'forms')} complete. The case goes on when all are.`,
  review: reviewWords,
  decision: decisionWords,
  actions: actionWords,
  asks: askWords,
};

/** What the payer asks, most important first. */
function requirementWords(requirement: CoverageRequirement): readonly string[] {
  return [paWords(requirement), docWords(requirement), coveredWords(requirement.covered)].filter((words) => words !== undefined);
}

function paWords({ paNeeded, satisfiedPaId }: CoverageRequirement): string | undefined {
  if (paNeeded === 'auth-needed') return 'Prior authorization is needed before the service.';
  if (paNeeded === 'no-auth') return 'No prior authorization is needed.';
  if (paNeeded === 'satisfied') return satisfiedPaId === undefined ? 'An authorization is already in place.' : `An authorization is already in place: number ${satisfiedPaId}.`;
  if (paNeeded === 'performpa') return 'Prior authorization is needed; whoever performs the service asks for it.';
  if (paNeeded === 'conditional') return 'Whether prior authorization is needed depends on facts the payer does not have yet.';
  return 'The payer did not say whether prior authorization is needed.';
}

function docWords({ docNeeded, docPurpose }: CoverageRequirement): string | undefined {
  if (docNeeded === undefined) return undefined;
  const what = { clinical: 'Clinical documentation', admin: 'Administrative documentation', both: 'Clinical and administrative documentation', conditional: 'Documentation, depending on the case,' }[docNeeded];
  const purposes = { withpa: 'with the authorization request', withclaim: 'with the later claim', withorder: 'with the order', 'retain-doc': 'kept on file', OTH: 'for another purpose' };
  return `${what} is asked for${docPurpose.length === 0 ? '' : `, ${docPurpose.map((purpose) => purposes[purpose]).join(' and ')}`}.`;
}

function coveredWords(covered: CoverageRequirement['covered']): string {
  if (covered === 'covered') return 'The plan covers this kind of service.';
  if (covered === 'not-covered') return 'The plan does not cover this service.';
  return 'Coverage depends on conditions that the payer checks.';
}

const infoWords: Readonly<Record<CoverageRequirement['infoNeeded'][number], string>> = {
  performer: 'who performs the service',
  location: 'where it is performed',
  timeframe: 'when it is performed',
  'contract-window': 'the contract period',
  OTH: 'something else, see the reasons',
};

export const en = { messages, requirementWords, infoWords };
export type PanelWords = typeof en;
