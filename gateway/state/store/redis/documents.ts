// Documents as one hash for each name: field '' is the revision of the last change, field ':KEY' is `REVISION JSON`.
// The danger it guards against: two replicas that write at once and each believe that they won, so every write is one script.
import { type Changes, createChanges } from '../changes.ts'
import { parse, textOf } from '../json.ts'
import type { Document, DocumentStore, Documents, StoreOptions, WriteCondition, Written } from '../port.ts'
import type { Connection } from './connection.ts'

const pollMs = 1000

// A revision is at least the server's time in microseconds, so that it grows even where the hash was lost.
const writeScript = `
local held = redis.call('HGET', KEYS[1], ARGV[1])
local revision = held and string.match(held, '^%d+') or '0'
if ARGV[2] ~= '' and ARGV[2] ~= revision then return {'no', held or ''} end
local last = redis.call('HGET', KEYS[1], '') or '0'
if ARGV[3] == '' and not held then return {'yes', last} end
local time = redis.call('TIME')
local next = string.format('%.0f', math.max(tonumber(last) + 1, time[1] * 1000000 + time[2]))
redis.call('HSET', KEYS[1], '', next)
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1])
else redis.call('HSET', KEYS[1], ARGV[1], next .. ' ' .. ARGV[3]) end
-- Without the right to push, those who poll learn of it.
redis.pcall('PUBLISH', ARGV[4], ARGV[5])
return {'yes', next}
`

export interface RedisDocuments extends DocumentStore {
  /** Something of that name has changed. */
  refresh(name: string): void
  close(): void
}

export function createDocuments(
  { ask }: Connection,
  prefix: string,
  channel: string,
  { onFailure }: StoreOptions,
): RedisDocuments {
  const hashOf = (name: string) => `${prefix}documents:${name}`
  const all = (name: string) => ask(async (redis) => readDocuments(await redis.hgetall(hashOf(name))))
  const changes = createChanges(all, onFailure)

  /** @param text '' removes, for no JSON is empty */
  async function write(name: string, key: string, text: string, condition?: WriteCondition): Promise<Written> {
    const ifRevision = String(condition?.ifRevision ?? '')
    return ask(async (redis) =>
      readWritten(await redis.eval(writeScript, 1, hashOf(name), `:${key}`, ifRevision, text, channel, name)),
    )
  }

  const revisionOf = (name: string) => ask(async (redis) => Number((await redis.hget(hashOf(name), '')) ?? 0))
  const polling = setInterval(() => {
    for (const name of changes.names()) void poll(name, changes, revisionOf)
  }, pollMs).unref()

  return {
    put: async (name, key, value, condition) => write(name, key, textOf(value), condition),
    remove: (name, key, condition) => write(name, key, '', condition),
    all,
    onChange: changes.onChange,
    refresh: (name) => void changes.refresh(name),
    close: () => clearInterval(polling),
  }
}

/** Pushes get lost: with a subscription, with a Redis, or because nobody may push. */
async function poll(name: string, changes: Changes, revisionOf: (name: string) => Promise<number>): Promise<void> {
  // The next poll is soon enough for what could not be read.
  const revision = await revisionOf(name).catch(() => undefined)
  if (revision !== undefined && changes.isNews(name, revision)) await changes.refresh(name)
}

function readDocuments(hash: Readonly<Record<string, string>>): Documents {
  const { '': revision = '0', ...held } = hash
  return {
    revision: Number(revision),
    byKey: new Map(Object.entries(held).map(([field, text]) => [field.slice(1), readDocument(text)])),
  }
}

function readDocument(text: string): Document {
  const end = text.indexOf(' ')
  return { revision: Number(text.slice(0, end)), value: parse(text.slice(end + 1)) }
}

function readWritten(reply: unknown): Written {
  const [done, text] = reply as readonly [string, string]
  if (done === 'yes') return { done: true, revision: Number(text) }
  return { done: false, found: text === '' ? undefined : readDocument(text) }
}
