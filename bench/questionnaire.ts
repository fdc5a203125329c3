import { benchKeystroke } from './keystroke.ts';
import { benchPanel } from './panel.ts';

/** The form as people meet it: what the panel loads first, and typing in a long form. Returns what missed its aim. */
export async function benchQuestionnaire(): Promise<string[]> {
  return [...(await benchPanel()), ...(await benchKeystroke())];
}
