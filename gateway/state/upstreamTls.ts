// What upstreams are shown and believed by in TLS, as its files lie on the disk, and again whenever they change there.
// The danger it guards against: a certificate that is renewed on the disk, and expires in the connections.
import { createSecureContext, type SecureContext } from 'node:tls'
import { Failure } from '../errors.ts'
import { readNow } from '../files/content.ts'
import { type Follower, follow } from '../files/follow.ts'
import type { Snapshot, Target, TlsFiles, Upstream } from '../model.ts'

export interface UpstreamTls {
  /** For a new connection; undefined where the file says nothing of it. Throws a Failure while the files cannot be used. */
  contextOf(target: Target): SecureContext | undefined
  follow(snapshot: Pick<Snapshot, 'upstreams'>): void
  /** What is wrong, as sentences. */
  hints(): readonly string[]
  close(): Promise<void>
}

interface Entry {
  readonly followers: readonly Follower[]
  /** The last one that could be made. */
  context: SecureContext | undefined
  /** Of the files as they are now. */
  trouble: string | undefined
  /** What was read last. */
  text: string
}

const pollMs = 1_000
/** How long a file must have stood still. */
const settleMs = 50

/** @param told why what lies in the files is not used; undefined: others are used from now on */
export function createUpstreamTls(told: (files: TlsFiles, trouble: string | undefined) => void): UpstreamTls {
  /** By the names of their files. */
  const entries = new Map<string, Entry>()
  /** Also those of earlier readings, as long as a request is under way that came in under one. */
  const known = new WeakMap<TlsFiles, Entry>()
  const closing = new Set<Promise<void>>()

  function enter(files: TlsFiles): Entry {
    const onContent = () => {
      if (renew(entry, files)) told(files, entry.trouble)
    }
    const followers = Object.values(files).map((file) => follow({ file, onContent, pollMs, settleMs }))
    const entry: Entry = { followers, context: undefined, trouble: undefined, text: '' }
    renew(entry, files)
    if (entry.trouble !== undefined) told(files, entry.trouble)
    for (const follower of followers) follower.start()
    return entry
  }

  function leave(key: string, { followers }: Entry): void {
    entries.delete(key)
    const closed = Promise.all(followers.map((follower) => follower.close())).then(() => void closing.delete(closed))
    closing.add(closed)
  }

  return {
    contextOf({ tls, origin }) {
      if (!tls) return undefined
      const { context, trouble } = known.get(tls) ?? {}
      if (!context) throw new Failure('upstreamTls', `${origin}: ${trouble ?? 'its TLS files have not been read'}`)
      return context
    },
    follow({ upstreams }) {
      const wanted = wantedBy(upstreams.values())
      const keys = new Set(wanted.map(keyOf))
      for (const [key, entry] of entries) if (!keys.has(key)) leave(key, entry)
      for (const files of wanted) {
        const key = keyOf(files)
        const entry = entries.get(key) ?? enter(files)
        entries.set(key, entry)
        known.set(files, entry)
      }
    },
    hints: () => [...entries.values()].flatMap(({ trouble }) => trouble ?? []),
    async close() {
      for (const [key, entry] of entries) leave(key, entry)
      await Promise.all(closing)
    },
  }
}

function wantedBy(upstreams: Iterable<Upstream>): readonly TlsFiles[] {
  const targets = [...upstreams].flatMap((upstream) => upstream.targets)
  return targets.flatMap(({ tls }) => tls ?? [])
}

function keyOf({ ca, cert, key }: TlsFiles): string {
  return JSON.stringify([ca, cert, key])
}

/** At once, before a request needs it: the files are small, and few. @returns whether something has changed */
function renew(entry: Entry, files: TlsFiles): boolean {
  const { texts, trouble } = readAll(files)
  const text = JSON.stringify([texts, trouble])
  if (text === entry.text) return false
  entry.text = text
  entry.trouble = trouble
  if (trouble !== undefined) return true
  try {
    entry.context = createSecureContext(texts)
  } catch {
    // What the parser says may quote what it reads.
    entry.trouble = `${Object.values(files).join(', ')}: no certificate and key that belong together, in PEM and without a passphrase; write them so`
  }
  return true
}

interface Texts {
  ca?: string
  cert?: string
  key?: string
}

function readAll(files: TlsFiles): { texts: Texts; trouble?: string } {
  const texts: Texts = {}
  for (const kind of ['ca', 'cert', 'key'] as const) {
    const file = files[kind]
    if (file === undefined) continue
    const read = readNow(file)
    if ('trouble' in read) return { texts, trouble: read.trouble }
    texts[kind] = read.text
  }
  return { texts }
}
