import { useId, type ReactNode } from 'react';

interface LabelledProps {
  readonly label: string;
  readonly hint?: string;
  readonly children: (field: { readonly id: string; readonly className: string; readonly 'aria-describedby'?: string }) => ReactNode;
}

/** A label above its field, and a hint below. */
export function Labelled({ label, hint, children }: LabelledProps): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, className: 'control', ...(hint === undefined ? {} : { 'aria-describedby': `${id}-hint` }) })}
      {hint !== undefined && <span className="small muted" id={`${id}-hint`}>{hint}</span>}
    </div>
  );
}
