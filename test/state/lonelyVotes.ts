// What a breaker hears of other replicas where there are none.
import type { Clock } from '../../gateway/model.ts'
import { createVotes, type SharedVotes } from '../../gateway/state/sharing/votes.ts'

export function lonelyVotes(clock: Clock): SharedVotes {
  const onFailure = (thrown: unknown) => {
    throw thrown
  }
  return createVotes({ id: 'alone', clock, living: () => new Set(), size: () => 1, onFailure })
}
