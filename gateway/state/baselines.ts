// What a candidate is compared with: the old side at the same time where it is still asked, else how it did when canary ended.
// The danger it guards against: a live move without any control, whose guard sees nothing wrong because it has nothing to see it by.
import { join } from 'node:path'
import type { RolloutDeclaration } from '../model.ts'
import { type Counts, countOf, countsLength } from '../rollout/counts.ts'
import { type Span, spanLengths, withControl } from '../rollout/spans.ts'
import { wholeShare } from '../rollout/standing.ts'
import type { ControlSource } from '../rollout/verdict.ts'
import type { Windows } from '../rollout/windows.ts'
import { readIfThere } from './durable.ts'
import { createKeptFile } from './keptFile.ts'
import type { RolloutState } from './rolloutBook.ts'

export interface Baselines {
  /** Reads what stateDir remembers. */
  open(stateDir: string): Promise<void>
  /** Keeps how the old side did, if that was enough to judge by. */
  freeze(rollout: RolloutDeclaration, windows: Windows): void
  of(key: string): Counts | undefined
  /** When all is written down, or was refused once more; then nothing is tried again. */
  written(): Promise<void>
}

/** @param told what went wrong with reading or writing */
export function createBaselines(told: (thrown: unknown) => void): Baselines {
  const frozen = new Map<string, Counts>()
  let file: string | undefined
  const kept = createKeptFile(told)

  return {
    async open(stateDir) {
      file = join(stateDir, 'baselines.json')
      try {
        const text = await readIfThere(file)
        const { baselines = {} } = text === undefined ? {} : JSON.parse(text)
        for (const [key, counts] of Object.entries(baselines)) if (isCounts(counts)) frozen.set(key, counts)
      } catch (thrown) {
        told(thrown)
      }
    },
    freeze({ key, guard }, windows) {
      const spans = spanLengths(guard.windowMs).filter((ms) => ms >= guard.windowMs)
      const counts = spans
        .map((ms) => windows.span('old', ms))
        .find((span) => countOf(span, 'requests') >= guard.minRequests)
      if (!counts) return
      frozen.set(key, counts)
      const text = JSON.stringify({ version: 1, baselines: Object.fromEntries(frozen) })
      if (file !== undefined) void kept.save(file, text)
    },
    of: (key) => frozen.get(key),
    written: kept.close,
  }
}

function isCounts(counts: unknown): counts is Counts {
  return Array.isArray(counts) && counts.length === countsLength && counts.every((count) => Number.isSafeInteger(count))
}

/** The control that there is, the best first, and both sides over the newest spans with it. */
export function controlOf(
  { rollout, effective }: RolloutState,
  seen: readonly Span[],
  baselines: Baselines,
): { readonly control: ControlSource; readonly spans: readonly Span[] } {
  if (effective.stage === 'canary' && effective.shareBasisPoints < wholeShare)
    return { control: 'oldSide', spans: seen }
  if (effective.stage === 'live' && effective.shareBasisPoints < wholeShare) return { control: 'holdback', spans: seen }
  if (seen.some(({ control }) => countOf(control, 'requests') >= rollout.guard.minRequests))
    return { control: 'reverseComparison', spans: seen }
  const baseline = baselines.of(rollout.key)
  return baseline
    ? { control: 'frozenBaseline', spans: withControl(seen, baseline) }
    : { control: 'none', spans: withControl(seen) }
}
