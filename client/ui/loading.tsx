import { Loader } from '@mantine/core';
import type { ReactNode } from 'react';

export function Loading({ children }: { readonly children: ReactNode }): ReactNode {
  return <div className="row muted" role="status"><Loader size="xs" aria-hidden="true" /><span>{children}</span></div>;
}
