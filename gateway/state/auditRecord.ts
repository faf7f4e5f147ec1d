// One record of the audit, and how it hangs on the one before it.
// The danger it guards against: a record that is changed, left out or moved afterwards, and nobody can tell.
// The chain has no key: who may write the folder can make a whole chain anew, from any record to its end. That shows against
// a head noted elsewhere: in a later writer's first record, in a log, at a replica.
import { createHash } from 'node:crypto'

/** What a caller says. Nothing secret belongs in it: no key, token, cookie or body. */
export interface AuditEntry {
  /** `stage`, `share`, `rollback`, `ack`, `pause`, `resume`, `advance`, `alarm`, `breakGlass`, `reload`, `look` … */
  readonly kind: string
  /** Who or what did it: `guard`, `file`, `cli:USER` … */
  readonly by: string
  /** The key of the rollout. */
  readonly subject?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly reason?: string | undefined
  /** Whatever JSON can say; beyond 16 KiB only its length is kept. */
  readonly evidence?: unknown
  /** Of the Snapshot that was served. */
  readonly revision?: number | undefined
}

export interface AuditRecord extends AuditEntry {
  /** 1, 2, 3 … of its writer. */
  readonly seq: number
  readonly writer: string
  /** ISO 8601, UTC. */
  readonly at: string
  /** The hash of the record before; 64 zeros in the first one. */
  readonly prev: string
  /** SHA-256 of its line without this member, in hexadecimal. */
  readonly hash: string
}

/** Where a chain stands. Noted elsewhere, it proves later that nothing up to it is gone or changed. */
export interface Head {
  readonly writer: string
  readonly seq: number
  readonly hash: string
}

/** The kind of the first record of every chain. */
export const startKind = 'start'

/** The longest line that is a record; ours stay far below it. */
export const mostLineBytes = 64 * 1024

const mostEvidenceCharacters = 16 * 1024

export function beginningOf(writer: string): Head {
  return { writer, seq: 0, hash: '0'.repeat(64) }
}

/** The entry as members of a JSON object, without its braces: what a record says before it has its place in the chain. */
export function wordsOf(entry: AuditEntry, atMs: number): string {
  const clipped = {
    at: new Date(atMs).toISOString(),
    kind: clip(entry.kind, 64),
    by: clip(entry.by, 256),
    subject: clip(entry.subject, 256),
    from: clip(entry.from, 256),
    to: clip(entry.to, 256),
    reason: clip(entry.reason, 1024),
    revision: entry.revision,
  }
  const evidence = evidenceOf(entry.evidence)
  return `${JSON.stringify(clipped).slice(1, -1)}${evidence === undefined ? '' : `,"evidence":${evidence}`}`
}

/** @returns the line that follows `after`, newline included, and the head that it makes */
export function chain(words: string, after: Head): { readonly line: string; readonly head: Head } {
  const seq = after.seq + 1
  const said = `{"seq":${seq},"writer":${JSON.stringify(after.writer)},${words},"prev":"${after.hash}"`
  const hash = hashOf(Buffer.from(`${said}}`))
  return { line: `${said},"hash":"${hash}"}\n`, head: { writer: after.writer, seq, hash } }
}

/** @param line without its newline. @returns undefined when it is no record; whether it is an honest one is not judged */
export function parseLine(line: Buffer): AuditRecord | undefined {
  try {
    const value: unknown = JSON.parse(line.toString())
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** @returns the head that a line makes, or why it cannot be the one after `after` */
export function judge(line: Buffer, after: Head): Head | { readonly why: string } {
  const record = parseLine(line)
  if (!record) return { why: 'this is no record' }
  const { writer, seq, hash } = record
  if (hash !== hashOf(withoutHash(line))) return { why: 'its bytes have been changed' }
  if (writer !== after.writer) return { why: `it belongs to the chain of ${writer}` }
  if (seq !== after.seq + 1) return { why: `record ${seq} stands here: one is missing, or they have been moved` }
  if (record.prev !== after.hash) return { why: 'it does not follow from the record before it' }
  return { writer, seq, hash }
}

/** The line ends with `,"hash":"…"}`; the bytes themselves count, so that no two spellings are one record. */
function withoutHash(line: Buffer): Buffer {
  return Buffer.concat([line.subarray(0, -',"hash":""}'.length - 64), Buffer.from('}')])
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function isRecord(value: unknown): value is AuditRecord {
  if (typeof value !== 'object' || value === null) return false
  const { seq, writer, at, kind, by, hash } = value as Partial<Record<keyof AuditRecord, unknown>>
  return Number.isSafeInteger(seq) && [writer, at, kind, by, hash].every((word) => typeof word === 'string')
}

function clip(text: string | undefined, most: number): string | undefined {
  return text !== undefined && text.length > most ? `${text.slice(0, most - 1)}…` : text
}

/** An entry is never refused over its evidence. */
function evidenceOf(evidence: unknown): string | undefined {
  try {
    const json = JSON.stringify(evidence)
    if (json === undefined || json.length <= mostEvidenceCharacters) return json
    return JSON.stringify({ tooLong: json.length })
  } catch {
    return JSON.stringify({ unwritable: true })
  }
}
