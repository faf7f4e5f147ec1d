// What a scenario of `npm run load-test` is, and what its exit codes mean.
// The danger it guards against: a script that takes one scenario's "inconclusive" for another's "passed".

export interface Scenario {
  readonly name: string
  /** For the list of all, in a line or two. */
  readonly summary: string
  /** Its options and exit codes. */
  readonly help: string
  /**
   * Runs it, prints and writes its report.
   * @param signal ends it early and in order: what was started is stopped, what was changed is put back
   * @returns the exit code: 0 passed, 1 failed, 3 inconclusive
   * @throws UsageError for wrong options, Error when there was nothing to be measured: both exit 2
   */
  run(args: readonly string[], signal: AbortSignal): Promise<number>
}
