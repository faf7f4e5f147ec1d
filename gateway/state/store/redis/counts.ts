// Counts as one hash for each slot of time, one field for each replica: a report is one round trip and may be repeated.
// The danger it guards against: a report that got no answer, is sent again, and counts twice.
import { keptCountsMs, sumOf, textOfCounts } from '../counts.ts'
import type { CountStore } from '../port.ts'
import type { Connection } from './connection.ts'
import { resultsOf } from './results.ts'

export function createCounts({ ask }: Connection, prefix: string, replicaId: string): CountStore {
  const hashOf = (name: string, slotAt: number) => `${prefix}counts:${name}:${slotAt}`
  return {
    async reportCounts(name, slotAt, counts) {
      const [hash, text] = [hashOf(name, slotAt), textOfCounts(counts)]
      await ask(async (redis) =>
        resultsOf(await redis.multi().hset(hash, replicaId, text).pexpire(hash, keptCountsMs).exec()),
      )
    },
    async sumCounts(name, slots) {
      return ask(async (redis) => {
        const pipeline = redis.pipeline()
        for (const slotAt of slots) pipeline.hvals(hashOf(name, slotAt))
        const replies = resultsOf(await pipeline.exec()) as string[][]
        return replies.map(sumOf)
      })
    },
  }
}
