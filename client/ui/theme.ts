import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

/* A calm blue. Green is kept for one meaning: every item approved. */
const harbor: MantineColorsTuple = ['#eef5fa', '#dbe8f2', '#b7d0e4', '#8fb6d5', '#6ba0c8', '#4b8cbb', '#357aac', '#25679a', '#1b5783', '#12466c'];

export const theme = createTheme({
  colors: { harbor },
  primaryColor: 'harbor',
  primaryShade: { light: 8, dark: 7 },
  autoContrast: true,
  defaultRadius: 'md',
  respectReducedMotion: true,
  cursorType: 'pointer',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  headings: { fontWeight: '650', sizes: { h1: { fontSize: '1.25rem', lineHeight: '1.3' }, h2: { fontSize: '1.0625rem', lineHeight: '1.35' }, h3: { fontSize: '0.9375rem', lineHeight: '1.4' } } },
});

/** Mantine's grey and red texts miss 4.5:1 on white; these reach it. Tone pairs are text on its own tinted ground. */
export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--mantine-color-dimmed': '#51606d',
    '--mantine-color-placeholder': '#66737f',
    '--mantine-color-error': '#b42318',
    '--mantine-color-anchor': '#1b5783',
    '--opa-focus': '#1b5783',
    '--opa-ground': '#f4f6f8',
    '--opa-line': '#d5dce2',
    '--opa-field-line': '#7c8994',
    '--opa-good-text': '#0f5f33', '--opa-good-ground': '#e6f5ec', '--opa-good-line': '#2f9e5f',
    '--opa-bad-text': '#8f1d14', '--opa-bad-ground': '#fdedeb', '--opa-bad-line': '#d6493c',
    '--opa-warn-text': '#6b4300', '--opa-warn-ground': '#fff4dc', '--opa-warn-line': '#c98a12',
    '--opa-info-text': '#12466c', '--opa-info-ground': '#eaf2f9', '--opa-info-line': '#4b8cbb',
    '--opa-plain-text': '#3d4a55', '--opa-plain-ground': '#eef1f4', '--opa-plain-line': '#8996a1',
  },
  dark: {
    '--mantine-color-body': '#1a1f24',
    '--mantine-color-text': '#dfe5ea',
    '--mantine-color-dimmed': '#a6b3be',
    '--mantine-color-placeholder': '#93a0ab',
    '--mantine-color-error': '#ff9d92',
    '--mantine-color-anchor': '#8fb6d5',
    '--mantine-color-default': '#242b32',
    '--mantine-color-default-hover': '#2c343c',
    '--mantine-color-default-border': '#3d4953',
    '--opa-focus': '#8fb6d5',
    '--opa-ground': '#13171b',
    '--opa-line': '#333e47',
    '--opa-field-line': '#7a8894',
    '--opa-good-text': '#8fe0b0', '--opa-good-ground': '#12301f', '--opa-good-line': '#3aa76a',
    '--opa-bad-text': '#ffb3aa', '--opa-bad-ground': '#3a1a17', '--opa-bad-line': '#d6584c',
    '--opa-warn-text': '#f4cd80', '--opa-warn-ground': '#35280d', '--opa-warn-line': '#b98425',
    '--opa-info-text': '#a9cce8', '--opa-info-ground': '#15293a', '--opa-info-line': '#4b8cbb',
    '--opa-plain-text': '#c4ced6', '--opa-plain-ground': '#262e35', '--opa-plain-line': '#6d7a85',
  },
});
