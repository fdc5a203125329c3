import { useEffect, useRef, type ReactNode } from 'react';

/** A heading that takes the focus when its step comes on the screen, so that keyboard and screen reader start there. */
export function FocusHeading({ level = 2, focus = true, children }: { readonly level?: 1 | 2; readonly focus?: boolean; readonly children: ReactNode }): ReactNode {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (focus) ref.current?.focus();
  }, [focus]);
  const Tag = level === 1 ? 'h1' : 'h2';
  return <Tag ref={ref} tabIndex={-1}>{children}</Tag>;
}
