// Reading the audit: the newest records of all writers, and where each chain stands.
// The danger it guards against: a file of months that is read into memory for the last ten lines of it.
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type AuditRecord, type Head, mostLineBytes, parseLine, startKind } from './auditRecord.ts'
import { isMissing } from './durable.ts'

const extension = '.jsonl'
const chunkBytes = 32 * 1024

/** A writer's clock may have been set back: older records than the one in hand may bear later times, up to this. */
const setBackMs = 86_400_000

export interface AuditQuery {
  /** Milliseconds since the epoch: nothing older. */
  readonly since?: number | undefined
  /** The key of a rollout: nothing else. */
  readonly subject?: string | undefined
  /** At most so many, the newest ones; default 1000. */
  readonly limit?: number | undefined
}

/** A head found on the disk. */
export interface FoundHead extends Head {
  /** Of a record that was never finished, after the last one: its writer was killed in the middle of it, or is in it now. */
  readonly tornBytes?: number
}

export function auditFolder(stateDir: string): string {
  return join(stateDir, 'audit')
}

export function auditFile(stateDir: string, writer: string): string {
  return join(auditFolder(stateDir), `${writer}${extension}`)
}

/** All that have a file. */
export async function auditWriters(stateDir: string): Promise<readonly string[]> {
  try {
    const names = await readdir(auditFolder(stateDir))
    return names
      .filter((name) => name.endsWith(extension))
      .map((name) => name.slice(0, -extension.length))
      .sort()
  } catch (thrown) {
    if (isMissing(thrown)) return []
    throw thrown
  }
}

/**
 * Of all writers by time, the oldest first; those of one writer always in the order in which it wrote them. Lines that are no
 * records are passed over, and honesty is not judged: `verifyAudit` does both. Rejects when a file cannot be read.
 */
export async function readAudit(stateDir: string, query: AuditQuery = {}): Promise<readonly AuditRecord[]> {
  const { limit = 1_000 } = query
  const chains = (await auditWriters(stateDir)).map((writer) => newestFirst(auditFile(stateDir, writer), query))
  const found: AuditRecord[] = []
  try {
    let heads = limit > 0 ? await Promise.all(chains.map(nextOf)) : []
    while (heads.length > 0) {
      const newest = heads.reduce((best, one) => (one.record && one.record.at > (best.record?.at ?? '') ? one : best))
      if (!newest.record) break
      found.push(newest.record)
      // To ask for one more may be to read the file to its beginning.
      if (found.length === limit) break
      const next = await nextOf(newest.chain)
      heads = heads.map((one) => (one === newest ? next : one))
    }
  } finally {
    await Promise.all(chains.map((chain) => chain.return()))
  }
  return found.reverse()
}

/** Where each chain stands on the disk, for noting elsewhere. Those without a whole record have no head. */
export async function readHeads(stateDir: string): Promise<readonly FoundHead[]> {
  const writers = await auditWriters(stateDir)
  const ends = await inOrder(writers, (writer) => endOf(auditFile(stateDir, writer), writer))
  return ends.filter((head) => head !== undefined)
}

/** The heads of other chains that a chain's first record names. */
export async function readNamed(stateDir: string, writer: string): Promise<readonly Head[]> {
  const beginning = await readSlice(auditFile(stateDir, writer), 0, mostLineBytes)
  const end = beginning.indexOf(newline)
  const first = end < 0 ? undefined : parseLine(beginning.subarray(0, end))
  if (first?.kind !== startKind) return []
  const { after } = (first.evidence ?? {}) as { after?: unknown }
  return Array.isArray(after) ? after.filter(isHead) : []
}

/** One after the other: thousands of files are not opened at once. */
export async function inOrder<T, R>(items: readonly T[], visit: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  for (const item of items) results.push(await visit(item))
  return results
}

const newline = 10

interface Place {
  readonly chain: AsyncGenerator<AuditRecord, void, void>
  readonly record: AuditRecord | undefined
}

async function nextOf(chain: AsyncGenerator<AuditRecord, void, void>): Promise<Place> {
  const next = await chain.next()
  return { chain, record: next.done ? undefined : next.value }
}

async function* newestFirst(file: string, { since, subject }: AuditQuery): AsyncGenerator<AuditRecord, void, void> {
  const oldest = since === undefined ? '' : new Date(since).toISOString()
  const hopeless = since === undefined ? '' : new Date(since - setBackMs).toISOString()
  for await (const line of linesBackward(file)) {
    const record = parseLine(line)
    if (record && record.at < hopeless) return
    if (record && record.at >= oldest && (subject === undefined || record.subject === subject)) yield record
  }
}

/** Its whole lines, the last one first. A line that is too long for a record comes out as one that is none. */
async function* linesBackward(file: string): AsyncGenerator<Buffer, void, void> {
  let start = await sizeOf(file)
  // The end of a line whose beginning is further up, newline included.
  let rest: Buffer = Buffer.alloc(0)
  while (start > 0) {
    const end = start
    start = Math.max(0, end - chunkBytes)
    const block = Buffer.concat([await readSlice(file, start, end), rest])
    let to = block.lastIndexOf(newline)
    while (to >= 0) {
      const before = to === 0 ? -1 : block.lastIndexOf(newline, to - 1)
      if (before < 0 && start > 0) break
      yield block.subarray(before + 1, to)
      to = before
    }
    rest = to + 1 > mostLineBytes ? Buffer.from('\0\n') : block.subarray(0, to + 1)
  }
}

async function endOf(file: string, writer: string): Promise<FoundHead | undefined> {
  for await (const line of linesBackward(file)) {
    const record = parseLine(line)
    if (!record) continue
    const tornBytes = await tornBytesOf(file)
    return { writer, seq: record.seq, hash: record.hash, ...(tornBytes > 0 && { tornBytes }) }
  }
  return undefined
}

async function tornBytesOf(file: string): Promise<number> {
  const size = await sizeOf(file)
  const last = await readSlice(file, Math.max(0, size - mostLineBytes), size)
  return last.length - 1 - last.lastIndexOf(newline)
}

async function sizeOf(file: string): Promise<number> {
  const handle = await open(file, 'r')
  try {
    return (await handle.stat()).size
  } finally {
    await handle.close()
  }
}

/** Opened anew each time: as many files as there are writers are read side by side. */
async function readSlice(file: string, start: number, end: number): Promise<Buffer> {
  const handle = await open(file, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

export function isHead(value: unknown): value is Head {
  const { writer, seq, hash } = (value ?? {}) as Partial<Record<keyof Head, unknown>>
  return typeof writer === 'string' && Number.isSafeInteger(seq) && typeof hash === 'string'
}
