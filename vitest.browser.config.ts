import { defineConfig } from 'vitest/config';

/** Screens in a real Chromium against a real server: one after the other, they share the machine. */
export default defineConfig({
  root: import.meta.dirname,
  test: { include: ['**/*.browser.test.ts'], exclude: ['node_modules/**', 'dist/**'], pool: 'forks', fileParallelism: false, testTimeout: 60_000, hookTimeout: 60_000 },
});
