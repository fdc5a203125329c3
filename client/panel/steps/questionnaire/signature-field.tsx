import { Button } from '@mantine/core';
import { useId, useState, type ReactNode } from 'react';
import type { ShownSignature } from '#prior-auth/questionnaire/form.ts';
import { showDate } from '../../../ui/fhir-date.ts';
import { messages } from '../../messages.ts';
import { useField } from './field-context.tsx';

interface SignatureFieldProps {
  readonly signature: ShownSignature;
  /** Path of the question; empty for the whole form. */
  readonly path: string;
  /** Element id, where jumps go. */
  readonly id: string;
  readonly of: string;
}

/** A typed attestation: the statement that is signed, the name, and who signed when. */
export function SignatureField({ signature, path, id, of }: SignatureFieldProps): ReactNode {
  const { edit, readOnly } = useField();
  const [name, setName] = useState('');
  const nameId = useId();
  const words = messages.form.signature;
  const { signed, kind, required } = signature;
  return (
    <section className="field signature" id={id} tabIndex={-1} aria-label={`${words.title}: ${of}`} data-missing={(required && !signed) || undefined}>
      <p className="field-label">{words.title}{required && <span className="must"> ({messages.form.required})</span>}</p>
      {kind !== undefined && <p className="small muted">{words.asked(kind)}</p>}
      {signed
        ? (
          <div className="row-apart">
            <output>{words.signed(signed.name, showDate(signed.when))}</output>
            {!readOnly && <button type="button" className="link-button small" onClick={() => edit((form) => form.unsign(path))}>{words.remove}<span className="visually-hidden">: {of}</span></button>}
          </div>
        )
        : !readOnly && (
          <form
            className="stack-tight"
            onSubmit={(event) => {
              event.preventDefault();
              const typed = name.trim();
              if (typed !== '') edit((form) => form.sign(path, { name: typed, statement: words.statement }));
            }}
          >
            <p>{words.statement}</p>
            <label htmlFor={nameId} className="small">{words.name}</label>
            <div className="row">
              <input id={nameId} className="control grow" type="text" autoComplete="name" value={name} aria-required={required || undefined} onChange={(event) => setName(event.target.value)} />
              <Button type="submit" variant="default" disabled={name.trim() === ''}>{words.sign}</Button>
            </div>
          </form>
        )}
      <p className="small muted">{words.falls}</p>
    </section>
  );
}
