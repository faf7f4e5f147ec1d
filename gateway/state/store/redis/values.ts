// Single texts, with and without an end. The danger it guards against: a request that waits for what is nice to know.
import type { ValueStore } from '../port.ts'
import type { Connection } from './connection.ts'
import { resultsOf } from './results.ts'

export function createValues({ ask }: Connection, prefix: string, withinMs: number): ValueStore {
  const keyOf = (name: string, key: string) => `${prefix}value:${name}:${key}`
  return {
    async remember(name, key, value, ttlMs) {
      await ask((redis) => redis.set(keyOf(name, key), value, 'PX', ttlMs), withinMs)
    },
    recall: (name, key) => ask(async (redis) => (await redis.get(keyOf(name, key))) ?? undefined, withinMs),
    async setIfAbsent(name, key, value) {
      const place = keyOf(name, key)
      // Two commands in one transaction: SET with NX and GET at a time needs Redis 7.
      const replies = await ask(async (redis) => resultsOf(await redis.multi().setnx(place, value).get(place).exec()))
      return String(replies[1])
    },
  }
}
