import { buildScreens } from '#start/screens.ts';

/** Before the browser tests: the screens are built once, so that no server that a test starts builds them under another test's feet. */
export async function setup(): Promise<void> {
  await buildScreens();
}
