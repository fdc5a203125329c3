import { defineConfig } from 'vitest/config';

/** Screens in a real Chromium against real servers, two files at a time: most of it is waiting for what a person would wait for. */
export default defineConfig({
  root: import.meta.dirname,
  test: { include: ['**/*.browser.test.ts'], exclude: ['node_modules/**', 'dist/**'], pool: 'forks', maxWorkers: 2, globalSetup: ['test-fixtures/built-screens.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
