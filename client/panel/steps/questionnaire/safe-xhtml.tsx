import { useEffect, useState, type ReactNode } from 'react';

const ALLOWED_TAGS = ['a', 'b', 'br', 'code', 'div', 'em', 'i', 'li', 'ol', 'p', 'small', 'span', 'strong', 'sub', 'sup', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'u', 'ul'];

/** A payer's rendering-xhtml, cleaned. The plain text stands until the cleaner is loaded, and stays if it cannot be. */
export function SafeXhtml({ xhtml, plain }: { readonly xhtml: string; readonly plain: string }): ReactNode {
  const [clean, setClean] = useState<string>();
  useEffect(() => {
    let current = true;
    import('dompurify').then(
      ({ default: purify }) => {
        if (current) setClean(withSafeLinks(purify.sanitize(xhtml, { ALLOWED_TAGS, ALLOWED_ATTR: ['href', 'colspan', 'rowspan'], ALLOWED_URI_REGEXP: /^https:\/\//i, RETURN_DOM_FRAGMENT: true })));
      },
      () => setClean(undefined),
    );
    return () => { current = false; };
  }, [xhtml]);
  if (clean === undefined || clean.trim() === '') return plain;
  return <span className="xhtml" dangerouslySetInnerHTML={{ __html: clean }} />;
}

/** A person may open a payer's address in a tab of its own, which learns nothing of this one. */
function withSafeLinks(clean: DocumentFragment): string {
  for (const link of clean.querySelectorAll('a')) {
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
  }
  const holder = document.createElement('div');
  holder.append(clean);
  return holder.innerHTML;
}
