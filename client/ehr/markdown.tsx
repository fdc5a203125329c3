import { useEffect, useState, type ReactNode } from 'react';

const ALLOWED_TAGS = ['a', 'blockquote', 'br', 'code', 'del', 'em', 'h1', 'h2', 'h3', 'h4', 'hr', 'li', 'ol', 'p', 'pre', 'strong', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul'];

/** A card's GitHub-flavoured markdown, cleaned: the text of a foreign service. Until then, and if the cleaner cannot be loaded, it is shown as plain text. */
export function Markdown({ text }: { readonly text: string }): ReactNode {
  const [html, setHtml] = useState<string>();
  useEffect(() => {
    let current = true;
    Promise.all([import('marked'), import('dompurify')]).then(
      async ([{ marked }, { default: purify }]) => {
        const raw = await marked.parse(text, { gfm: true });
        if (current) setHtml(purify.sanitize(raw, { ALLOWED_TAGS, ALLOWED_ATTR: ['href'], ALLOWED_URI_REGEXP: /^https?:\/\//i }));
      },
      () => { if (current) setHtml(undefined); },
    );
    return () => { current = false; };
  }, [text]);
  if (html === undefined) return <p className="unhurried">{text}</p>;
  return <div className="markdown" dangerouslySetInnerHTML={{ __html: html }} />;
}
