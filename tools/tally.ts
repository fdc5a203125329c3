/** Adds up what passed and failed over all phases of a test run. */
export class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;
  readonly failures: string[] = [];

  add(name: string, ok: boolean, ms: number): void {
    if (ok) this.passed += 1;
    else {
      this.failed += 1;
      this.failures.push(name);
    }
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${(ms / 1000).toFixed(1)} s)`);
  }

  /** Left out, always with the reason. */
  skip(name: string, why: string): void {
    this.skipped += 1;
    console.log(`skip ${name}: ${why}`);
  }

  async time(name: string, work: () => Promise<boolean>): Promise<boolean> {
    const startedAt = performance.now();
    const ok = await work();
    this.add(name, ok, performance.now() - startedAt);
    return ok;
  }

  /** The last line CI and people look for. Returns the exit code. */
  finish(): number {
    if (this.failures.length > 0) console.log(`\nFailed:\n${this.failures.map((name) => `  ${name}`).join('\n')}`);
    if (this.passed + this.failed === 0) this.failed = 1;
    console.log(`${this.passed} passed, ${this.failed} failed${this.skipped > 0 ? `, ${this.skipped} skipped` : ''}`);
    return this.failed === 0 ? 0 : 1;
  }
}
