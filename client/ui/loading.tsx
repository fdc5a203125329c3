import { Loader } from '@mantine/core';
import type { ReactNode } from 'react';

export function Loading({ children }: { readonly children: ReactNode }): ReactNode {
  return <output className="row muted loading"><Loader size="xs" aria-hidden="true" /><span>{children}</span></output>;
}
