// The results of commands that were sent together. The danger it guards against: one that failed among those that did not.

/** @throws the first error among them */
export function resultsOf(replies: readonly [error: Error | null, result: unknown][] | null): readonly unknown[] {
  if (replies === null) throw new Error('the transaction was aborted')
  return replies.map(([error, result]) => {
    if (error) throw error
    return result
  })
}
