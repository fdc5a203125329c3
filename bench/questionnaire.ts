import { benchKeystroke } from './keystroke.ts';
import { benchPanel } from './panel.ts';
import { benchPopulation } from './population.ts';

/** The form as people meet it: what the panel loads first, filling it in from the record, and typing in a long form. Returns what missed its aim. */
export async function benchQuestionnaire(): Promise<string[]> {
  return [...(await benchPanel()), ...(await benchPopulation()), ...(await benchKeystroke())];
}
