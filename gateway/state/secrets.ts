// What the gateway proves itself to upstreams with: of routes.yaml, or of files that are followed. The newest goes first; where an
// upstream has just taken the one before it, that one does, for a while.
// The dangers it guards against: a rotation that fails every request between its two halves, and a secret that is told to anybody
// but its upstream.
import { linesOf, readNow } from '../files/content.ts'
import { type Follower, follow } from '../files/follow.ts'
import type { Secrets } from '../model/ports.ts'
import type { Clock, SecretSettings, Snapshot } from '../model.ts'

export interface SecretBook extends Secrets {
  follow(snapshot: Pick<Snapshot, 'upstreams'>): void
  /** What is wrong, as sentences. */
  hints(): readonly string[]
  close(): Promise<void>
}

export interface SecretParts {
  readonly clock: Pick<Clock, 'now'>
  /** Others are used from now on; or why what lies in the file is not. */
  told(upstream: string, trouble: string | undefined): void
}

interface Entry {
  readonly settings: SecretSettings
  follower?: Follower
  /** As they stand in the field: the newest, and the one before it. */
  values: readonly string[]
  trouble: string | undefined
  /** The one that was taken in place of the newest, for so long. */
  taken?: { readonly value: string; readonly untilMs: number }
}

const pollMs = 1_000
/** How long a file must have stood still. */
const settleMs = 50
/** How long the newest is spared after it was refused. */
const spareMs = 30_000

export function createSecrets({ clock, told }: SecretParts): SecretBook {
  /** By upstream. */
  const entries = new Map<string, Entry>()
  /** Also those of earlier readings, as long as a request is under way that came in under one: by its name its upstream may be another now. */
  const known = new WeakMap<SecretSettings, Entry>()
  const closing = new Set<Promise<void>>()

  function enter(name: string, settings: SecretSettings): Entry {
    const { source } = settings
    const entry: Entry = { settings, values: [], trouble: undefined }
    if ('values' in source) {
      entry.values = source.values.map((secret) => fieldValue(settings, secret))
      return entry
    }
    const read = () => {
      const { values, trouble } = entry
      renew(entry, source.file)
      if (entry.trouble !== trouble || entry.values !== values) told(name, entry.trouble)
    }
    // At once, before a request needs it: the file is small.
    renew(entry, source.file)
    if (entry.trouble !== undefined) told(name, entry.trouble)
    entry.follower = follow({ file: source.file, onContent: read, pollMs, settleMs })
    entry.follower.start()
    return entry
  }

  function leave(name: string): void {
    const follower = entries.get(name)?.follower
    entries.delete(name)
    if (!follower) return
    const closed = follower.close().then(() => void closing.delete(closed))
    closing.add(closed)
  }

  return {
    of(secret) {
      const { values = [], taken } = known.get(secret) ?? {}
      if (!taken || taken.untilMs <= clock.now() || taken.value !== values[1]) return values
      return values.toReversed()
    },
    taken(secret, value) {
      const entry = known.get(secret)
      if (entry) entry.taken = { value, untilMs: clock.now() + spareMs }
    },
    follow({ upstreams }) {
      for (const [name, { settings }] of entries) {
        if (JSON.stringify(upstreams.get(name)?.secret) !== JSON.stringify(settings)) leave(name)
      }
      for (const { name, secret } of upstreams.values()) {
        if (!secret) continue
        const entry = entries.get(name) ?? enter(name, secret)
        entries.set(name, entry)
        known.set(secret, entry)
      }
    },
    hints: () =>
      [...entries].flatMap(([name, { trouble }]) => (trouble === undefined ? [] : `the secret of ${name}: ${trouble}`)),
    async close() {
      for (const name of entries.keys()) leave(name)
      await Promise.all(closing)
    },
  }
}

/** What the file holds now; when it is of no use what was there before stays. */
function renew(entry: Entry, file: string): void {
  const read = readSecrets(file, entry.settings)
  if (typeof read === 'string') {
    entry.trouble = entry.values.length > 0 ? `${read}; the one before stays in use` : read
    return
  }
  entry.trouble = undefined
  const [newest = '', named] = read
  if (newest === entry.values[0] && (named === undefined || named === entry.values[1])) return
  // Who replaces one has not always replaced it at the other end yet.
  const former = newest === entry.values[0] ? undefined : entry.values[0]
  entry.values = [newest, named ?? former].filter((value) => value !== undefined)
}

/** @returns why there is none, as a sentence */
function readSecrets(file: string, settings: SecretSettings): readonly string[] | string {
  const read = readNow(file)
  if ('trouble' in read) return read.trouble
  const secrets = linesOf(read.text).slice(0, 2)
  if (secrets.length === 0) return `${file} is empty; write the secret into its first line`
  if (!secrets.every((secret) => /^[\x20-\x7e]+$/.test(secret)))
    return `${file} holds what no field can carry; it takes ASCII`
  if (settings.scheme === 'basic' && !secrets.every((secret) => secret.includes(':')))
    return `${file} must hold a pair, user:password, in each line`
  return secrets.map((secret) => fieldValue(settings, secret))
}

/** RFC 6750 §2.1, RFC 7617 §2. */
function fieldValue({ scheme }: SecretSettings, secret: string): string {
  if (scheme === 'plain') return secret
  return scheme === 'bearer' ? `Bearer ${secret}` : `Basic ${Buffer.from(secret).toString('base64')}`
}
