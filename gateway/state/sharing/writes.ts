// Who has written lately, known to all replicas: a client's next request may come to another one.
// The danger it guards against: a read that waits for the store, which is there to help and not to be waited for. The store
// bounds each question by 100 ms, and refuses at once while it is away; then each replica knows its own writes alone.
import type { Writes } from '../../model/ports.ts'
import { digestOf } from '../recentWrites.ts'
import type { Store } from '../store/port.ts'

const name = 'writes'

/** @param own of this process. @param store undefined while there is none */
export function shareWrites(own: Writes, store: () => Store | undefined): Writes {
  return {
    async took(writer, upstream) {
      void own.took(writer, upstream)
      const { readYourWrites } = writer.rollout
      const shared = store()
      if (!shared || !readYourWrites) return
      await shared.remember(name, digestOf(writer), upstream, readYourWrites.forMs).catch(() => {})
    },
    takenBy: own.takenBy,
    lookUp(writer) {
      const shared = store()
      if (shared?.state().is !== 'up' || own.takenBy(writer) !== undefined) return undefined
      return shared.recall(name, digestOf(writer)).catch(() => undefined)
    },
  }
}
