// Failed checks of credentials on their way into the audit: so many of one source, and so many of all.
// The danger it guards against: a flood of guesses that fills the disk with records, or drowns the one that matters.
import type { AuditEntry } from './auditRecord.ts'

export interface Refusals {
  /** The first of a source in a minute is recorded at once; how many more there were, when the minute is over. */
  add(source: string, entry: AuditEntry): void
  /** Records what is only counted so far. */
  flush(): void
}

export interface RefusalParts {
  readonly append: (entry: AuditEntry) => void
  /** Runs it once, not before that time has passed; keeps no process alive. */
  readonly schedule: (run: () => void, afterMs: number) => void
}

const windowMs = 60_000
/** Of one window; what comes from others is counted together. */
const mostSources = 64

export function createRefusals({ append, schedule }: RefusalParts): Refusals {
  const seen = new Map<string, { readonly entry: AuditEntry; more: number }>()
  let ofOthers = 0

  function flush(): void {
    for (const [source, { entry, more }] of seen)
      if (more > 0)
        append({
          ...entry,
          reason: `${more} more within a minute, the first: ${entry.reason}`,
          evidence: { source, more },
        })
    if (ofOthers > 0)
      append({
        kind: 'refused',
        by: 'many',
        reason: `${ofOthers} within a minute, of still other sources`,
        evidence: { more: ofOthers },
      })
    seen.clear()
    ofOthers = 0
  }

  return {
    add(source, entry) {
      const known = seen.get(source)
      if (known) known.more += 1
      else if (seen.size >= mostSources) ofOthers += 1
      else {
        if (seen.size === 0) schedule(flush, windowMs)
        seen.set(source, { entry, more: 0 })
        append({ ...entry, evidence: { source } })
      }
    },
    flush,
  }
}
