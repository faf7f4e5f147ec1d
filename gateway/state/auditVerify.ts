// Whether the audit is what was written: every chain link by link, and against every head that was noted elsewhere.
// The danger it guards against: history that somebody has made over. What it cannot tell by itself is the end of the newest
// chain: nobody has named that yet, so compare with a head that was noted outside the folder.
import { createReadStream } from 'node:fs'
import { auditFile, auditWriters, inOrder, readNamed } from './auditRead.ts'
import { beginningOf, type Head, judge, mostLineBytes } from './auditRecord.ts'

export interface ChainVerdict {
  readonly writer: string
  /** That are sound, from the first one on. */
  readonly records: number
  /** Of the last sound one. */
  readonly head?: Head
  /** The number of the first record that is not as it must be. */
  readonly brokenAt?: number
  readonly why?: string
  /** After the last record, of one that was never finished: its writer was killed in the middle of it, or is in it now. */
  readonly tornBytes?: number
}

export interface AuditVerdict {
  readonly ok: boolean
  readonly writers: readonly ChainVerdict[]
}

/** A head that somebody has noted. */
interface Note extends Head {
  readonly notedBy: string
}

/** @param known heads that were noted elsewhere, as `readHeads` or a replica gave them. Rejects when the folder is unreadable. */
export async function verifyAudit(stateDir: string, known: readonly Head[] = []): Promise<AuditVerdict> {
  const writers = await auditWriters(stateDir)
  const named = await inOrder(writers, (writer) => notesOf(stateDir, writer))
  const notes = [...named.flat(), ...known.map((head) => ({ ...head, notedBy: 'the head noted elsewhere' }))]
  const present = await inOrder(writers, (writer) =>
    verifyChain(auditFile(stateDir, writer), writer, notesAbout(writer, notes)),
  )
  const missing = [...new Set(notes.map(({ writer }) => writer))]
    .filter((writer) => !writers.includes(writer))
    .map((writer) => cutVerdict(beginningOf(writer), notesAbout(writer, notes), 'its file is missing'))
  const verdicts = [...present, ...missing]
  return { ok: verdicts.every(({ brokenAt }) => brokenAt === undefined), writers: verdicts }
}

async function notesOf(stateDir: string, writer: string): Promise<readonly Note[]> {
  // What cannot be read is told of when the chain itself is verified.
  const heads = await readNamed(stateDir, writer).catch(() => [])
  return heads.map((head) => ({ ...head, notedBy: `the first record of ${writer}` }))
}

function notesAbout(about: string, notes: readonly Note[]): readonly Note[] {
  return notes.filter(({ writer }) => writer === about).sort((a, b) => a.seq - b.seq)
}

async function verifyChain(file: string, writer: string, notes: readonly Note[]): Promise<ChainVerdict> {
  let head = beginningOf(writer)
  let tornBytes = 0
  const broken = (why: string) => ({ ...soFar(head), brokenAt: head.seq + 1, why })
  try {
    for await (const { bytes, isWhole } of linesOf(file)) {
      if (!isWhole) {
        tornBytes = bytes.length
        break
      }
      const next = judge(bytes, head)
      if ('why' in next) return broken(next.why)
      const note = notes.find(({ seq, hash }) => seq === next.seq && hash !== next.hash)
      // A chain that was made over is sound in itself.
      if (note) return broken(`it is not the record that ${note.notedBy} names`)
      head = next
    }
  } catch (thrown) {
    return broken(`the file cannot be read (${(thrown as NodeJS.ErrnoException).code})`)
  }
  const torn = tornBytes > 0 && { tornBytes }
  if ((notes.at(-1)?.seq ?? 0) > head.seq) return { ...cutVerdict(head, notes, 'its end is cut off'), ...torn }
  return { ...soFar(head), ...torn }
}

function cutVerdict(head: Head, notes: readonly Note[], what: string): ChainVerdict {
  const last = notes.at(-1)
  const why = `${what}: ${last?.notedBy} names its record ${last?.seq}`
  return { ...soFar(head), brokenAt: head.seq + 1, why }
}

function soFar(head: Head): ChainVerdict {
  return { writer: head.writer, records: head.seq, ...(head.seq > 0 && { head }) }
}

/** From the first line on; the last one may be no whole line. What is too long for one comes out in pieces that are none. */
async function* linesOf(
  file: string,
): AsyncGenerator<{ readonly bytes: Buffer; readonly isWhole: boolean }, void, void> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of createReadStream(file)) {
    const block = Buffer.concat([rest, chunk as Buffer])
    let from = 0
    for (let to = block.indexOf(10); to >= 0; to = block.indexOf(10, from)) {
      yield { bytes: block.subarray(from, to), isWhole: true }
      from = to + 1
    }
    rest = block.subarray(from)
    if (rest.length > mostLineBytes) {
      yield { bytes: rest, isWhole: true }
      return
    }
  }
  if (rest.length > 0) yield { bytes: rest, isWhole: false }
}
