import '@mantine/core/styles/baseline.css';
import '@mantine/core/styles/default-css-variables.css';
import '@mantine/core/styles/global.css';
import '@mantine/core/styles/UnstyledButton.css';
import '@mantine/core/styles/ActionIcon.css';
import '@mantine/core/styles/Button.css';
import '@mantine/core/styles/Loader.css';
import './page.css';
import { MantineProvider } from '@mantine/core';
import { StrictMode, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { language } from './language.ts';
import { cssVariablesResolver, theme } from './theme.ts';

/** Puts a screen on the page, in the light or dark of the system until the reader chooses. */
export function showScreen(title: string, screen: ReactNode): void {
  document.documentElement.lang = language;
  document.title = `${title} · Open Prior Auth`;
  const root = document.getElementById('root');
  if (root === null) throw new Error('The page has no #root element.');
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={cssVariablesResolver} defaultColorScheme="auto">{screen}</MantineProvider>
    </StrictMode>,
  );
}
