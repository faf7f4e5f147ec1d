// The file of one chain, as its writer holds it open.
// The dangers it guards against: half a record in the middle of a file after a full disk, and a file that is gone while its
// writer goes on writing into nothing.
//
// A chain belongs to one run of one process and is never continued by another: two workers of a rolling restart would
// otherwise need a lock to share a file, and whoever repairs a torn end could be cutting the line of somebody alive. A new
// run begins a new file whose first record names the heads of those that it finds, so that a file that is deleted, or cut,
// shows; what a killed run left torn at its end stays where it is, and is named there too.
import { type FileHandle, open, rm, stat } from 'node:fs/promises'
import { auditFile, auditFolder, auditWriters, inOrder, readHeads, readNamed } from './auditRead.ts'
import { type AuditRecord, beginningOf, chain, type Head, startKind, wordsOf } from './auditRecord.ts'
import { syncFolder } from './durable.ts'
import { makeFolder } from './folder.ts'

export interface Chain {
  /** Of the last durable record. */
  readonly head: Head
  /** Whether its file is still the one at its place. When it is not, what is written goes nowhere. */
  isThere(): Promise<boolean>
  /**
   * All of them durably, or rejects: then they must come again, first of all, and are written over what got there of them.
   * @param words of each record (`wordsOf`)
   */
  write(words: readonly string[]): Promise<readonly AuditRecord[]>
  close(): Promise<void>
}

export interface Opening {
  readonly stateDir: string
  /** A file name; `~2`, `~3` … is added where it is taken. */
  readonly writer: string
  /** Milliseconds since the epoch. */
  readonly atMs: number
  /** The chain that this one takes the place of: its file is gone. */
  readonly instead?: Head | undefined
}

/** A head takes 200 bytes of the first record at most. Those beyond are named by the next chain: nobody has named them yet. */
const mostNamed = 64

/** Begins a chain with a record of the heads found. */
export async function openChain({ stateDir, writer, atMs, instead }: Opening): Promise<Chain> {
  makeFolder(auditFolder(stateDir), 0o700)
  const ends = await unnamedHeads(stateDir)
  const after = [...(instead ? [instead] : []), ...ends.filter((end) => end.writer !== instead?.writer)]
  const entry = { kind: startKind, by: 'audit', evidence: { after: after.slice(0, mostNamed) } }
  const made = await makeFile(stateDir, instead ? nextName(instead.writer) : writer)
  try {
    const held = await hold(made)
    await held.write([wordsOf(entry, atMs)])
    await syncFolder(auditFolder(stateDir))
    return held
  } catch (thrown) {
    // Each try would leave one behind, and nobody has been told of a record in it.
    await rm(made.file, { force: true }).catch(() => {})
    await made.handle.close().catch(() => {})
    throw thrown
  }
}

/** Those that no later chain has named where they stand now. */
async function unnamedHeads(stateDir: string): Promise<readonly Head[]> {
  const writers = await auditWriters(stateDir)
  const named = await inOrder(writers, (writer) => readNamed(stateDir, writer))
  const places = new Set(named.flat().map(placeOf))
  return (await readHeads(stateDir)).filter((head) => !places.has(placeOf(head)))
}

function placeOf({ writer, seq }: Head): string {
  return `${writer} ${seq}`
}

interface Made {
  readonly writer: string
  readonly file: string
  readonly handle: FileHandle
}

async function makeFile(stateDir: string, name: string): Promise<Made> {
  for (let writer = name; ; writer = nextName(writer)) {
    const file = auditFile(stateDir, writer)
    try {
      return { writer, file, handle: await open(file, 'wx', 0o600) }
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
    }
  }
}

function nextName(writer: string): string {
  const [, name = writer, number = '1'] = /^(.*)~([0-9]+)$/.exec(writer) ?? []
  return `${name}~${Number(number) + 1}`
}

async function hold({ writer, file, handle }: Made): Promise<Chain> {
  const { dev, ino } = await handle.stat()
  let head = beginningOf(writer)
  let size = 0
  return {
    get head() {
      return head
    },
    async isThere() {
      const now = await stat(file).catch(() => undefined)
      return now?.ino === ino && now.dev === dev
    },
    async write(words) {
      if (words.length === 0) return []
      const { lines, last } = follow(words, head)
      const bytes = Buffer.from(lines.join(''))
      await writeAt(handle, bytes, size)
      await handle.datasync()
      // Only now: after a failure the next write begins at the same place, over what has got there of this one.
      size += bytes.length
      head = last
      return lines.map((line) => JSON.parse(line) as AuditRecord)
    },
    close: () => handle.close().catch(() => {}),
  }
}

function follow(words: readonly string[], head: Head): { readonly lines: readonly string[]; readonly last: Head } {
  let last = head
  const lines = words.map((said) => {
    const next = chain(said, last)
    last = next.head
    return next.line
  })
  return { lines, last }
}

async function writeAt(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    if (bytesWritten === 0) throw new Error('the disk takes nothing')
    done += bytesWritten
  }
}
