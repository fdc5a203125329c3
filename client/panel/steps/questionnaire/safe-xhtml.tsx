import { useEffect, useState, type ReactNode } from 'react';

const ALLOWED_TAGS = ['a', 'b', 'br', 'code', 'div', 'em', 'i', 'li', 'ol', 'p', 'small', 'span', 'strong', 'sub', 'sup', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'u', 'ul'];

/** A payer's rendering-xhtml, cleaned. The plain text stands until the cleaner is loaded, and stays if it cannot be. */
export function SafeXhtml({ xhtml, plain }: { readonly xhtml: string; readonly plain: string }): ReactNode {
  const [clean, setClean] = useState<string>();
  useEffect(() => {
    let current = true;
    import('dompurify').then(
      ({ default: purify }) => {
        if (current) setClean(purify.sanitize(xhtml, { ALLOWED_TAGS, ALLOWED_ATTR: ['href', 'colspan', 'rowspan'], ALLOWED_URI_REGEXP: /^https:\/\//i }));
      },
      () => setClean(undefined),
    );
    return () => { current = false; };
  }, [xhtml]);
  if (clean === undefined || clean.trim() === '') return plain;
  return <span className="xhtml" dangerouslySetInnerHTML={{ __html: clean }} />;
}
