import type { Figure } from '#prior-auth/learning-api.ts';
import { locale } from '../ui/language.ts';
import { messages } from './messages.ts';

/* Figures in words. Where they come from simulated decisions the word stands beside each one. */

export function decimal(value: number, digits = 3): string {
  return new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

export function percent(share: number): string {
  return new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }).format(share);
}

export function count(value: number): string {
  return new Intl.NumberFormat(locale).format(value);
}

export function withInterval({ value, low, high }: Figure, show: (value: number) => string = decimal): string {
  return messages.interval(show(value), show(low), show(high));
}

/** With the word, where it is due. */
export function marked(text: string, simulated: boolean): string {
  return simulated ? `${text} (${messages.simulated})` : text;
}
