// The cache's store of many replicas: heads as one hash for each key, bodies in chunks, and of each tag the moment of its last
// purge. Everything has an end, and no key says what it is about: they hold digests.
// The danger it guards against: an answer that is read in part. Its head is written last, and its chunks are counted and weighed.
import { hash } from 'node:crypto'
import { longestKeptMs } from '../../../caching/keeping.ts'
import { type Stored, storedOf } from '../../../caching/stored.ts'
import type { Tag } from '../../../caching/tags.ts'
import { mostVariants } from '../../cacheStock.ts'
import type { CacheStore, KeptHead } from '../cachePort.ts'
import type { StoreOptions } from '../port.ts'
import type { RedisAddress } from '../url.ts'
import { Bodies } from './cacheBodies.ts'
import { chunksOf, readHead, textOfHead } from './cacheHeads.ts'
import { PurgeLog, versionsKeptMs } from './cacheLog.ts'
import { putScript } from './cacheScripts.ts'
import { connectTo } from './connection.ts'
import { subscribeTo } from './pushes.ts'

const lookEveryMs = 1_000
/** It is tried again soon when it is gone; what nobody waits for may take its time. */
const pace = { longestDelayMs: 400, isPipelining: true }
const patientMs = 1_000

/** @param options without a replicaId: all are alike */
export async function createRedisCache(
  address: RedisAddress,
  options: Omit<StoreOptions, 'replicaId'>,
): Promise<CacheStore> {
  // Of the form that heads have: replicas of different versions must not misread each other's.
  const prefix = `banyan:${options.namespace ?? 'gateway'}:cache1:`
  const { inPassingMs = 100 } = options
  const connection = connectTo(address, options, { ...pace, patientMs: Math.max(patientMs, inPassingMs) })
  const versionOf = (tag: Tag) => `${prefix}version:${tag}`
  const log = new PurgeLog(connection, { log: logOf(prefix), channel: `${prefix}purged`, versionOf }, options.onFailure)
  const pushes = subscribeTo(address, `${prefix}purged`, options, () => void log.read())
  const looking = setInterval(() => void log.read(), lookEveryMs).unref()
  connection.onState(({ is }) => (is === 'up' ? void log.read() : pushes.renew()))
  await connection.tried
  // Until it knows where the log stands, nothing that it stores can be told from what was purged.
  await log.read()
  return {
    ...shelvesOf(connection.ask, prefix, versionOf),
    inPassingMs,
    purge: (tags) => log.purge(tags, inPassingMs),
    now: () => log.now(),
    onPurged: (listener) => log.onPurged(listener),
    state: connection.state,
    onState: connection.onState,
    close() {
      clearInterval(looking)
      pushes.close()
      connection.close()
    },
  }
}

type Shelves = Pick<CacheStore, 'heads' | 'whole' | 'draft' | 'put' | 'drop'>

function shelvesOf(ask: ReturnType<typeof connectTo>['ask'], prefix: string, versionOf: (tag: Tag) => string): Shelves {
  const bodyPrefix = `${prefix}body:`
  const bodies = new Bodies({ ask }, bodyPrefix)
  const headsOf = (key: string) => `${prefix}heads:${digestOf(key)}`
  return {
    async heads(key, withinMs) {
      const held = await ask((redis) => redis.hvals(headsOf(key)), withinMs)
      return held.map(readHead)
    },
    async whole(head, withinMs) {
      const asked = [...head.tags.map(versionOf), ...bodies.keysOf(head.body)]
      const held = await ask((redis) => redis.mgetBuffer(asked), withinMs)
      const versions = held.slice(0, head.tags.length)
      if (versions.some((version) => version === null || Number(version) > head.since)) return undefined
      return wholeOf(head, held.slice(versions.length))
    },
    draft: () => bodies.draft(),
    async put(key, head, keepMs) {
      const keys = [headsOf(key), logOf(prefix), ...head.tags.map(versionOf)]
      const keptMs = Math.min(keepMs, longestKeptMs)
      const lasting = [keptMs, head.since, versionsKeptMs]
      const told = [fieldOf(head), textOfHead(head), ...lasting, bodyPrefix, mostVariants, head.tags.join(' ')]
      return (await ask((redis) => redis.eval(putScript, keys.length, ...keys, ...told))) === 1
    },
    async drop(key) {
      await ask((redis) => redis.unlink(headsOf(key)))
    },
  }
}

function wholeOf(
  { tags: _tags, since: _since, body, ...head }: KeptHead,
  chunks: (Buffer | null)[],
): Stored | undefined {
  const found = chunks.filter((chunk) => chunk !== null)
  const bytes = Buffer.concat(found)
  if (found.length !== chunksOf(body.bytes) || bytes.length !== body.bytes) return undefined
  return storedOf(head, bytes)
}

/** One for all requests that the same answer fits. */
function fieldOf({ vary, variant, isAnybodys }: KeptHead): string {
  return digestOf(JSON.stringify([vary, variant, isAnybodys]))
}

const logOf = (prefix: string): string => `${prefix}purges`

/** Keys name targets with their queries, which may hold secrets. */
const digestOf = (text: string): string => hash('sha256', text, 'base64url')
