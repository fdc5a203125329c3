import type { Questionnaire, QuestionnaireResponse } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FormView, PanelMessage } from '#prior-auth/panel-api.ts';
import type { PanelCall } from '../../panel-call.ts';
import { AUTOSAVE_DELAY_MS, FormDraft, RETRY_DELAYS_MS } from './form-draft.ts';

const questionnaire: Questionnaire = {
  resourceType: 'Questionnaire', status: 'active', title: 'Form',
  item: [{ linkId: 'a', type: 'string', text: 'A', required: true }, { linkId: 'b', type: 'string', text: 'B' }],
};
const empty: QuestionnaireResponse = { resourceType: 'QuestionnaireResponse', status: 'in-progress' };
const answered = (a: string): QuestionnaireResponse => ({ ...empty, item: [{ linkId: 'a', answer: [{ valueString: a }] }] });
const form = (over: Partial<FormView> = {}): FormView => ({ formId: 'f', questionnaire, response: empty, version: 1, sources: {}, population: { status: 'done', warnings: [] }, ...over });
const author = { reference: 'Practitioner/me', display: 'Me' };

type Sent = { readonly message: PanelMessage; readonly body: unknown };

/** The server's side of the conversation, as a list of replies by message. */
function server(replies: Partial<Record<PanelMessage, (body: never) => unknown>>) {
  const sent: Sent[] = [];
  const call = (async (message: PanelMessage, body: never) => {
    sent.push({ message, body });
    const reply = replies[message]?.(body);
    return reply instanceof Error ? { kind: 'failed', failure: { status: Number(reply.cause ?? 409), code: reply.message, message: '' } } : { kind: 'ok', value: reply };
  }) as unknown as PanelCall;
  return { call, sent };
}
const put = (path: string, text: string) => (it: { setAnswer: (path: string, index: number, value: { valueString: string }) => void }) => it.setAnswer(path, 0, { valueString: text });
const answerOf = (draft: FormDraft, linkId: string) => draft.state().shown.items.find((item) => item.linkId === linkId)?.answers[0]?.value.valueString;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a form being worked on', () => {
  it('saves by itself, once, with the version it edited', async () => {
    const { call, sent } = server({ saveForm: (body: { version: number }) => ({ form: form({ version: body.version + 1 }) }) });
    const draft = new FormDraft(call, form(), author);
    draft.edit(put('a', 'x'));
    draft.edit(put('a', 'xy'));
    expect(draft.state().save.kind).toBe('unsaved');
    await vi.advanceTimersByTimeAsync(AUTOSAVE_DELAY_MS);
    expect(sent).toMatchObject([{ message: 'saveForm', body: { version: 1 } }]);
    expect(draft.state().save.kind).toBe('saved');
    expect(draft.unsaved).toBe(false);
    draft.edit(put('b', 'z'));
    await vi.advanceTimersByTimeAsync(AUTOSAVE_DELAY_MS);
    expect(sent[1]).toMatchObject({ body: { version: 2 } });
  });

  it('keeps what was entered while the record is read', async () => {
    const populateForm = () => {
      draft.edit(put('a', 'mine'));
      return { form: form({ version: 2, response: { ...empty, item: [{ linkId: 'b', answer: [{ valueString: 'record' }] }] } }) };
    };
    const { call } = server({ populateForm, saveForm: () => ({ form: form({ version: 3 }) }) });
    const draft = new FormDraft(call, form({ population: { status: 'not-started', warnings: [] } }), author);
    expect(draft.state().population.kind).toBe('reading');
    await draft.populate();
    expect(answerOf(draft, 'a')).toBe('mine');
    expect(answerOf(draft, 'b')).toBe('record');
  });

  it('shows a conflict and settles it either way', async () => {
    const theirs = form({ version: 7, response: answered('theirs') });
    for (const keepMine of [true, false]) {
      const differences = [expect.objectContaining({ path: 'a', taken: 'mine' })];
      let conflicts = 1;
      const { call, sent } = server({
        saveForm: () => (conflicts-- > 0 ? new Error('CASE_CONFLICT') : { form: form({ version: 8 }) }),
        listForms: () => ({ forms: [theirs] }),
      });
      const draft = new FormDraft(call, form(), author);
      draft.edit(put('a', 'mine'));
      await draft.save();
      expect(draft.state().save).toEqual({ kind: 'conflict', mine: 1, differences });
      await draft.settle({ a: keepMine ? 'mine' : 'theirs' });
      expect(answerOf(draft, 'a')).toBe(keepMine ? 'mine' : 'theirs');
      expect(sent.filter(({ message }) => message === 'saveForm')).toHaveLength(2);
    }
  });

  it('merges what someone else answered, without asking', async () => {
    const theirs = form({ version: 7, response: { ...answered('x'), item: [{ linkId: 'b', answer: [{ valueString: 'theirs' }] }] }, saved: { by: { reference: 'Practitioner/2', name: 'The other' }, at: '2026-11-22T10:00:00Z' } });
    let conflicts = 1;
    const { call, sent } = server({
      saveForm: (body: { response: FormView['response'] }) => (conflicts-- > 0 ? new Error('FORM_CHANGED') : { form: form({ version: 8, response: body.response }) }),
      listForms: () => ({ forms: [theirs] }),
    });
    const draft = new FormDraft(call, form(), author);
    draft.edit(put('a', 'mine'));
    await draft.save();
    expect(draft.state()).toMatchObject({ save: { kind: 'saved' }, joined: { count: 1, by: 'The other' } });
    expect([answerOf(draft, 'a'), answerOf(draft, 'b')]).toEqual(['mine', 'theirs']);
    expect(sent.filter(({ message }) => message === 'saveForm')).toHaveLength(2);
    expect(draft.unsaved).toBe(false);
  });

  it('asks about contradictions with the record system, and says when they are settled', async () => {
    const unsettled = { base: form().response, theirs: answered('theirs') };
    const { call, sent } = server({ saveForm: () => ({ form: form({ version: 3, response: answered('theirs') }) }) });
    const draft = new FormDraft(call, form({ response: answered('mine'), unsettled }), author);
    expect(draft.state().unsettled).toMatchObject([{ path: 'a' }]);
    await draft.settle({ a: 'theirs' });
    expect(answerOf(draft, 'a')).toBe('theirs');
    expect(sent.at(-1)).toMatchObject({ message: 'saveForm', body: { settled: true } });
    expect(draft.state().unsettled).toEqual([]);
  });

  it('says when an edit has no place in the newer form', async () => {
    const smaller = { ...questionnaire, item: questionnaire.item?.slice(0, 1) };
    const populateForm = () => {
      draft.edit(put('b', 'lost'));
      return { form: form({ version: 2, questionnaire: smaller }) };
    };
    const { call } = server({ populateForm });
    const draft = new FormDraft(call, form({ population: { status: 'not-started', warnings: [] } }), author);
    await draft.populate();
    expect(draft.state().dropped).toBe(1);
  });

  it('does not ask the server to complete a form with gaps', async () => {
    const { call, sent } = server({});
    const outcome = await new FormDraft(call, form(), author).complete('So it is.');
    expect(outcome).toMatchObject({ kind: 'incomplete', gaps: [{ linkId: 'a' }] });
    expect(sent).toHaveLength(0);
  });

  it('keeps unsaved edits when the server fails, and saves them on the next try', async () => {
    let failures = 1;
    const { call } = server({ saveForm: () => (failures-- > 0 ? new Error('EHR_UNAVAILABLE') : { form: form({ version: 2 }) }) });
    const draft = new FormDraft(call, form(), author);
    draft.edit(put('a', 'x'));
    await draft.save();
    expect(draft.state().save.kind).toBe('failed');
    expect(draft.unsaved).toBe(true);
    await draft.save();
    expect(draft.state().save.kind).toBe('saved');
  });

  it('keeps trying by itself while the server is not reached, later and later, and sends the newest answers', async () => {
    let failures = 3;
    const { call, sent } = server({ saveForm: (body: { version: number }) => (failures-- > 0 ? new Error('NOT_REACHED', { cause: 0 }) : { form: form({ version: body.version + 1 }) }) });
    const draft = new FormDraft(call, form(), author);
    draft.edit(put('a', 'x'));
    await vi.advanceTimersByTimeAsync(AUTOSAVE_DELAY_MS);
    expect(draft.state().save.kind).toBe('waiting');
    draft.edit(put('a', 'xy'));
    for (const pause of RETRY_DELAYS_MS.slice(0, 2)) {
      await vi.advanceTimersByTimeAsync(pause);
      expect(draft.state().save.kind).toBe('waiting');
    }
    await vi.advanceTimersByTimeAsync(RETRY_DELAYS_MS[2]);
    expect(draft.state().save.kind).toBe('saved');
    expect(sent).toHaveLength(4);
    expect(sent[3]).toMatchObject({ body: { response: { item: [{ linkId: 'a', answer: [{ valueString: 'xy' }] }] } } });
  });

  it('a save whose reply was lost is no conflict with oneself', async () => {
    let saves = 0;
    const { call } = server({
      saveForm: () => [new Error('NOT_REACHED', { cause: 0 }), new Error('NOT_REACHED', { cause: 0 }), new Error('CASE_CONFLICT'), { form: form({ version: 3 }) }][saves++],
      listForms: () => ({ forms: [form({ version: 2, response: answered('x') })] }),
    });
    const draft = new FormDraft(call, form(), author);
    draft.edit(put('a', 'x'));
    await draft.save();
    draft.edit(put('a', 'xy'));
    await draft.save();
    await draft.save();
    expect(draft.state().save.kind).toBe('saved');
    expect(answerOf(draft, 'a')).toBe('xy');
  });
});

describe('an adaptive form', () => {
  const more = { ...questionnaire, item: [...(questionnaire.item ?? []), { linkId: 'c', type: 'string' as const, text: 'C' }] };
  const reply = (over: object) => ({ form: form({ version: 2, adaptive: true, questionnaire: more, response: answered('x') }), completed: false, problems: [], case: {}, ...over });

  it('asks for more only when nothing is missing, and takes the questions that come', async () => {
    const { call, sent } = server({ nextQuestion: () => reply({}) });
    const draft = new FormDraft(call, form({ adaptive: true }), author);
    expect(await draft.next()).toMatchObject({ kind: 'incomplete', gaps: [{ linkId: 'a' }] });
    expect(sent).toEqual([]);
    draft.edit(put('a', 'x'));
    expect(await draft.next()).toEqual({ kind: 'asked' });
    expect(sent).toMatchObject([{ message: 'nextQuestion', body: { version: 1, response: { item: [{ linkId: 'a', answer: [{ valueString: 'x' }] }] } } }]);
    expect(draft.state().shown.items.map(({ linkId }) => linkId)).toEqual(['a', 'b', 'c']);
    expect(draft.unsaved).toBe(false);
  });
  it('keeps the answers and the edits when the payer does not accept them', async () => {
    const { call } = server({ nextQuestion: () => reply({ problems: [{ linkId: 'a', message: 'no' }] }) });
    const draft = new FormDraft(call, form({ adaptive: true }), author);
    draft.edit(put('a', 'x'));
    expect(await draft.next()).toEqual({ kind: 'problems', problems: [{ linkId: 'a', message: 'no' }] });
    expect(answerOf(draft, 'a')).toBe('x');
    expect(draft.unsaved).toBe(true);
  });
  it('is complete when the payer says so', async () => {
    const { call } = server({ nextQuestion: () => reply({ completed: true, form: form({ version: 2, adaptive: true, response: { ...answered('x'), status: 'completed' } }) }) });
    const draft = new FormDraft(call, form({ adaptive: true, response: answered('x') }), author);
    expect((await draft.next()).kind).toBe('completed');
    expect(draft.completed).toBe(true);
  });
  it('a payer that is away changes nothing', async () => {
    const { call } = server({ nextQuestion: () => new Error('PAYER_UNAVAILABLE', { cause: 503 }) });
    const draft = new FormDraft(call, form({ adaptive: true, response: answered('x') }), author);
    expect((await draft.next()).kind).toBe('failed');
    expect(answerOf(draft, 'a')).toBe('x');
  });
});
