import type { ReactNode } from 'react';
import { Icon } from '../../../ui/icon.tsx';

export function InputProblem({ id, children }: { readonly id?: string; readonly children: ReactNode }): ReactNode {
  return <p className="field-problem" id={id}><Icon name="alert" /><span>{children}</span></p>;
}
