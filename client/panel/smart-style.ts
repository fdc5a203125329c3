import { DEFAULT_THEME } from '@mantine/core';
import type { SmartStyle } from '#prior-auth/panel-launch-api.ts';
import { cssVariablesResolver, theme } from '../ui/theme.ts';

type Variables = Readonly<Record<string, string>>;
/** CSS variables for every scheme, and for the light or the dark one alone. */
export interface StyleVariables {
  readonly any: Variables;
  readonly light: Variables;
  readonly dark: Variables;
}

/** WCAG 2.2, 1.4.3: text on its ground. */
const LEAST_CONTRAST = 4.5;

/**
 * The look that the EHR asks for (SMART smart_style_url), as far as everything stays readable: a colour that would bring any text below WCAG AA
 * in a scheme is not used in that scheme. Green keeps its one meaning here, so color_success is not followed.
 */
export function styleVariables(style: SmartStyle): StyleVariables {
  const { light, dark } = cssVariablesResolver(DEFAULT_THEME);
  return {
    any: {
      ...(style.font_family_body ? { '--mantine-font-family': `${style.font_family_body}, ${theme.fontFamily}` } : {}),
      ...(style.font_family_heading ? { '--mantine-font-family-headings': `${style.font_family_heading}, ${theme.fontFamily}` } : {}),
      ...(style.dim_border_radius ? { '--mantine-radius-md': style.dim_border_radius, '--panel-radius': style.dim_border_radius } : {}),
      ...(style.dim_spacing_size ? { '--panel-space': style.dim_spacing_size } : {}),
      ...(style.dim_font_size ? { '--panel-font-size': style.dim_font_size } : {}),
    },
    light: colours(style, { '--mantine-color-text': '#000000', ...light }),
    dark: colours(style, dark),
  };
}

/** Each colour is tried on top of those already taken. */
function colours({ color_background: ground, color_text: text, color_highlight: highlight, color_error: error }: SmartStyle, palette: Variables): Variables {
  const onGround = (colour: string): Variables => ({ '--mantine-color-body': colour, '--opa-ground': colour });
  const tries: Variables[] = [];
  if (ground !== undefined && text !== undefined) tries.push({ ...onGround(ground), '--mantine-color-text': text });
  else if (ground !== undefined) tries.push(onGround(ground));
  else if (text !== undefined) tries.push({ '--mantine-color-text': text });
  if (highlight !== undefined) tries.push({ '--mantine-color-anchor': highlight, '--opa-focus': highlight });
  if (error !== undefined) tries.push({ '--mantine-color-error': error });
  return tries.reduce<Variables>((taken, next) => (isReadable({ ...palette, ...taken, ...next }, palette) ? { ...taken, ...next } : taken), {});
}

/** Every text of the panel that stands on the page or on a card, where anything about it was changed. */
function isReadable(next: Variables, palette: Variables): boolean {
  const grounds = ['--mantine-color-body', '--opa-ground'];
  const texts = ['--mantine-color-text', '--mantine-color-dimmed', '--mantine-color-placeholder', '--mantine-color-error', '--mantine-color-anchor'];
  return grounds.every((ground) => texts.every((text) => (next[ground] === palette[ground] && next[text] === palette[text]) || contrast(next[text] ?? '', next[ground] ?? '') >= LEAST_CONTRAST));
}

/** WCAG 2.2 contrast ratio of two colours written #rgb or #rrggbb. */
export function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const digits = colour.slice(1);
  const full = digits.length === 3 ? digits.replace(/./g, '$&$&') : digits;
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const share = Number.parseInt(full.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Puts the variables on the page. The values were checked by the server: colours, lengths and names of fonts, nothing that could end a rule. */
export function applyStyle(style: SmartStyle): void {
  const { any, light, dark } = styleVariables(style);
  const rule = (selector: string, variables: Variables): string => `${selector}{${Object.entries(variables).map(([name, value]) => `${name}:${value}`).join(';')}}`;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync([rule(':root:root', any), rule(':root[data-mantine-color-scheme="light"]', light), rule(':root[data-mantine-color-scheme="dark"]', dark)].join('\n'));
  document.adoptedStyleSheets = [sheet];
}
