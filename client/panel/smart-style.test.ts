import { describe, expect, it } from 'vitest';
import { contrast, styleVariables } from './smart-style.ts';

describe('contrast', () => {
  it.each([['#000', '#ffffff', 21], ['#fff', '#fff', 1], ['#767676', '#ffffff', 4.54]])('%s on %s', (one, other, ratio) => {
    expect(contrast(one, other)).toBeCloseTo(ratio, 1);
    expect(contrast(other, one)).toBeCloseTo(ratio, 1);
  });
});

describe('the look that the EHR asks for', () => {
  it.each<[string, object, object, object]>([
    ['a light one holds where it is light', { color_background: '#fffdf5', color_text: '#101010' }, { '--mantine-color-body': '#fffdf5', '--opa-ground': '#fffdf5', '--mantine-color-text': '#101010' }, {}],
    ['a dark one where it is dark', { color_background: '#101418', color_text: '#f0f0f0' }, {}, { '--mantine-color-body': '#101418', '--opa-ground': '#101418', '--mantine-color-text': '#f0f0f0' }],
    ['grey on grey nowhere', { color_background: '#888888', color_text: '#999999' }, {}, {}],
    ['a pale highlight nowhere it is light', { color_highlight: '#9fd8ef' }, {}, { '--mantine-color-anchor': '#9fd8ef', '--opa-focus': '#9fd8ef' }],
    ['a text that is too pale for one', { color_text: '#999' }, {}, { '--mantine-color-text': '#999' }],
    ['a good colour beside a bad one', { color_background: '#ffff00', color_text: '#fefefe', color_error: '#8a0000' }, { '--mantine-color-error': '#8a0000' }, {}],
  ])('%s', (_name, style, light, dark) => {
    expect(styleVariables(style)).toMatchObject({ any: {}, light, dark });
    expect([Object.keys(styleVariables(style).light), Object.keys(styleVariables(style).dark)]).toEqual([Object.keys(light), Object.keys(dark)]);
  });
  it('takes measures and fonts, with our own fonts behind them', () => {
    expect(styleVariables({ dim_border_radius: '2px', dim_spacing_size: '20px', dim_font_size: '18px', font_family_body: 'Georgia' }).any).toMatchObject({ '--panel-radius': '2px', '--panel-space': '20px', '--panel-font-size': '18px', '--mantine-font-family': expect.stringMatching(/^Georgia, system-ui/) as string });
  });
  it('every text stays at 4.5:1 or more, whatever is asked', () => {
    const ratios = Array.from({ length: 2000 }, (_, seed) => {
      const colour = (part: number) => `#${((seed * 2654435761 + part * 40503 * (seed + 7)) >>> 0).toString(16).padStart(8, '0').slice(0, 6)}`;
      const { light, dark } = styleVariables({ color_background: colour(1), color_text: colour(2), color_highlight: colour(3), color_error: colour(4) });
      return ([[light, '#ffffff'], [dark, '#1a1f24']] as const).flatMap(([taken, ground]) =>
        ['--mantine-color-text', '--mantine-color-anchor', '--mantine-color-error'].flatMap((text) => (taken[text] ? [contrast(taken[text], taken['--mantine-color-body'] ?? ground)] : [])),
      );
    }).flat();
    expect(ratios.length).toBeGreaterThan(100);
    expect(Math.min(...ratios)).toBeGreaterThanOrEqual(4.5);
  });
});
