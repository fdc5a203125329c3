import type { ReactNode } from 'react';

const PATHS = {
  check: 'M4 10.5l4 4 8-9',
  cross: 'M5 5l10 10M15 5L5 15',
  alert: 'M10 3l8 14H2L10 3zm0 5v4m0 2.5v.01',
  clock: 'M10 2.5a7.5 7.5 0 100 15 7.5 7.5 0 000-15zM10 6v4.2l2.8 1.8',
  question: 'M7.3 7.4a2.8 2.8 0 115.4.9c-.5 1.3-2.6 1.6-2.6 3.2M10 14.8v.01M10 2a8 8 0 100 16 8 8 0 000-16z',
  info: 'M10 2a8 8 0 100 16 8 8 0 000-16zM10 9v5m0-8v.01',
  half: 'M10 2a8 8 0 100 16 8 8 0 000-16zm0 0v16',
  record: 'M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5M7.5 10h5m-5 3h5',
  person: 'M10 10a3.5 3.5 0 100-7 3.5 3.5 0 000 7zm-6.5 7.5c.6-3.4 3.2-5 6.5-5s5.9 1.6 6.5 5',
  pencil: 'M3.5 16.5l.8-3.6L13.6 3.6l2.8 2.8-9.3 9.3-3.6.8z',
  sun: 'M10 6.5a3.5 3.5 0 100 7 3.5 3.5 0 000-7zM10 1.5v2m0 13v2m8.5-8.5h-2m-13 0h-2m14-6l-1.4 1.4M5.4 14.6L4 16m12 0l-1.4-1.4M5.4 5.4L4 4',
  moon: 'M16.5 12A7 7 0 018 3.5a7 7 0 108.5 8.5z',
  search: 'M8.5 3a5.5 5.5 0 100 11 5.5 5.5 0 000-11zm4 9.5L17 17',
  back: 'M12 4l-6 6 6 6',
  dash: 'M5 10h10',
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration only: every icon stands beside a word. */
export function Icon({ name }: { readonly name: IconName }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
