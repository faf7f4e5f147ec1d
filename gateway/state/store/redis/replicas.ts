// Who is alive, by the clock of Redis alone: replicas' own may differ. One hash: field REPLICA is `UNTIL JSON`.
// The danger it guards against: a promotion that waits for a replica that is gone, or does not wait for one that is there.
import { parse, textOf } from '../json.ts'
import type { ReplicaStore } from '../port.ts'
import type { Connection } from './connection.ts'
import { resultsOf } from './results.ts'

// Whoever announces itself also clears away those that have gone, for ids are not used again.
const announceScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + ARGV[2]) .. ' ' .. ARGV[3])
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if tonumber(string.match(all[i + 1], '^%d+')) <= now then redis.call('HDEL', KEYS[1], all[i]) end
end
`

export function createReplicas({ ask }: Connection, prefix: string, replicaId: string): ReplicaStore {
  const hash = `${prefix}replicas`
  return {
    async announce(info, ttlMs) {
      const text = textOf(info)
      await ask((redis) => redis.eval(announceScript, 1, hash, replicaId, ttlMs, text))
    },
    replicas: () =>
      ask(async (redis) => {
        const [time, held] = resultsOf(await redis.multi().time().hgetall(hash).exec())
        return readReplicas(time as [string, string], held as Record<string, string>)
      }),
  }
}

function readReplicas(
  [seconds, micros]: readonly [string, string],
  held: Readonly<Record<string, string>>,
): ReadonlyMap<string, unknown> {
  const now = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
  const alive = Object.entries(held).filter(([, text]) => Number.parseInt(text, 10) > now)
  return new Map(alive.map(([replica, text]) => [replica, parse(text.slice(text.indexOf(' ') + 1))]))
}
