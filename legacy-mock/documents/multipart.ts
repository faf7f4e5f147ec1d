// multipart/form-data as a stream of events (RFC 7578, RFC 2046 §5.1): nothing of a part's body is kept.
// The danger it guards against: a boundary that lies across two chunks and is taken for content.
import { Refusal } from '../../services/kit/visit.ts'

export type MultipartEvent =
  | { readonly kind: 'part'; readonly fields: ReadonlyMap<string, string> }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'end' }

const longestPartHead = 16_384
const headEnd = Buffer.from('\r\n\r\n')
const lineEnd = Buffer.from('\r\n')

/** @throws Refusal 415 for another type, 400 without a boundary that RFC 2046 allows. */
export function boundaryOf(contentType: string | undefined): string {
  if (!/^multipart\/form-data\s*;/i.test(contentType ?? '')) throw new Refusal(415, 'send multipart/form-data')
  const found = /;\s*boundary=(?:"([^"]*)"|([^\s;]+))/i.exec(contentType ?? '')
  const boundary = found?.[1] ?? found?.[2] ?? ''
  if (!/^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary))
    throw new Refusal(400, 'the boundary is missing or broken')
  return boundary
}

/** Part by part: `part`, any number of `bytes`, `end`. @throws Refusal 400 for a broken or unfinished body. */
export async function* readMultipart(source: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<MultipartEvent> {
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  const reader = new Reader(source)
  try {
    await reader.skip(delimiter)
    while (!(await isLast(reader))) {
      yield { kind: 'part', fields: await readHead(reader) }
      for await (const bytes of reader.until(delimiter)) yield { kind: 'bytes', bytes }
      yield { kind: 'end' }
    }
    await reader.drain()
  } finally {
    await reader.letGo()
  }
}

/** Reads what follows a delimiter: `--` closes the body, blanks and CRLF open a part. */
async function isLast(reader: Reader): Promise<boolean> {
  if ((await reader.take(2)).equals(Buffer.from('--'))) return true
  reader.putBack(2)
  const padding = await reader.lineOf(lineEnd, 256)
  if (/[^ \t]/.test(padding)) throw new Refusal(400, 'there is something behind a boundary')
  // The head of a part without fields is its empty line alone: seen as one that begins with the CRLF just read.
  reader.putBack(2)
  return false
}

async function readHead(reader: Reader): Promise<ReadonlyMap<string, string>> {
  const head = await reader.lineOf(headEnd, longestPartHead)
  const fields = new Map<string, string>()
  for (const line of head.split('\r\n').filter(Boolean)) {
    const colon = line.indexOf(':')
    if (colon < 1) throw new Refusal(400, 'a part has a broken field')
    fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  return fields
}

/** Bytes from a stream, read up to marks that may lie across its chunks. */
class Reader {
  readonly #source: AsyncIterator<Buffer>
  /** Read but not yet given away; begins with a CRLF, so that a delimiter at the very start is found like any other. */
  #held: Buffer = lineEnd
  /** How much of `#held` has been given away. */
  #at = 0

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** The preamble: whatever stands before the first mark (RFC 2046 §5.1.1). */
  async skip(mark: Buffer): Promise<void> {
    for await (const _ of this.until(mark));
  }

  /** Everything before the mark, as it comes; the mark itself is consumed. */
  async *until(mark: Buffer): AsyncGenerator<Buffer> {
    let found = this.#held.indexOf(mark, this.#at)
    while (found < 0) {
      // The last bytes may be the beginning of the mark: they wait for the next chunk.
      const sure = Math.max(this.#at, this.#held.length - mark.length + 1)
      if (sure > this.#at) yield this.#held.subarray(this.#at, sure)
      this.#at = sure
      await this.#more()
      found = this.#held.indexOf(mark, this.#at)
    }
    if (found > this.#at) yield this.#held.subarray(this.#at, found)
    this.#at = found + mark.length
  }

  /** The text before the mark, which is consumed. */
  async lineOf(mark: Buffer, longest: number): Promise<string> {
    let found = this.#held.indexOf(mark, this.#at)
    while (found < 0) {
      if (this.#held.length - this.#at > longest) throw new Refusal(400, 'the head of a part is too long')
      await this.#more()
      found = this.#held.indexOf(mark, this.#at)
    }
    const text = this.#held.toString('utf8', this.#at, found)
    this.#at = found + mark.length
    return text
  }

  async take(count: number): Promise<Buffer> {
    while (this.#held.length - this.#at < count) await this.#more()
    this.#at += count
    return this.#held.subarray(this.#at - count, this.#at)
  }

  /** Takes back what `take` or `lineOf` consumed last. */
  putBack(count: number): void {
    this.#at -= count
  }

  /** The epilogue: read, so that the connection can go on, and ignored. */
  async drain(): Promise<void> {
    while (!(await this.#source.next()).done);
  }

  async letGo(): Promise<void> {
    await this.#source.return?.()
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#source.next()
    if (done) throw new Refusal(400, 'the body ends before its last boundary')
    this.#held = this.#at === this.#held.length ? value : Buffer.concat([this.#held.subarray(this.#at), value])
    this.#at = 0
  }
}
