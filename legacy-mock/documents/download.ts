// A document on its way out: all of it, one range or several.
// The danger it guards against: a length that is not the number of bytes that follow.
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Refusal, type Visit } from '../../services/kit/visit.ts'
import { sendUnlessFresh } from '../conditions.ts'
import type { DocumentRow } from './documents.ts'
import { type ByteRange, mayRange, readRanges } from './ranges.ts'

/** @throws Refusal 416 where no wanted range lies in the document. */
export async function sendDocument(visit: Visit, row: DocumentRow, file: string): Promise<void> {
  const tag = `"${row.sha256.slice(0, 32)}"`
  const changed = new Date(row.storedAt).toUTCString()
  const { range, 'if-range': ifRange } = visit.request.headers
  const common = {
    ETag: tag,
    'Last-Modified': changed,
    'Accept-Ranges': 'bytes',
    'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(row.name)}`,
    'X-Served-By': visit.service,
  }
  await sendUnlessFresh(visit, tag, async () => {
    const ranges = mayRange(ifRange?.toString(), { tag, changed }) ? readRanges(range, row.bytes) : undefined
    if (ranges === 'none') throw new Refusal(416, 'no such bytes', { 'Content-Range': `bytes */${row.bytes}` })
    const [only, second] = ranges ?? []
    if (ranges && second) return sendSeveral(visit, { row, file, ranges, common })
    const from = only ?? { first: 0, last: row.bytes - 1 }
    visit.response.writeHead(only ? 206 : 200, {
      ...common,
      'Content-Type': row.type,
      'Content-Length': from.last - from.first + 1,
      ...(only && { 'Content-Range': contentRange(only, row) }),
    })
    await sendBody(visit, partOf(file, from))
  })
}

interface Several {
  readonly row: DocumentRow
  readonly file: string
  readonly ranges: readonly ByteRange[]
  readonly common: Readonly<Record<string, string>>
}

/** multipart/byteranges (RFC 9110 §14.6). */
async function sendSeveral(visit: Visit, { row, file, ranges, common }: Several): Promise<void> {
  const boundary = `freight-${row.sha256.slice(32, 56)}`
  const headOf = (range: ByteRange) =>
    `\r\n--${boundary}\r\nContent-Type: ${row.type}\r\nContent-Range: ${contentRange(range, row)}\r\n\r\n`
  const tail = `\r\n--${boundary}--\r\n`
  const lengths = ranges.map((range) => headOf(range).length + range.last - range.first + 1)
  visit.response.writeHead(206, {
    ...common,
    'Content-Type': `multipart/byteranges; boundary=${boundary}`,
    'Content-Length': lengths.reduce((sum, length) => sum + length, tail.length),
  })
  await sendBody(visit, async function* () {
    for (const range of ranges) {
      yield Buffer.from(headOf(range))
      yield* partOf(file, range)()
    }
    yield Buffer.from(tail)
  })
}

function contentRange({ first, last }: ByteRange, { bytes }: DocumentRow): string {
  return `bytes ${first}-${last}/${bytes}`
}

function partOf(file: string, { first, last }: ByteRange): () => AsyncIterable<Buffer> {
  return () => (last < first ? Readable.from([]) : createReadStream(file, { start: first, end: last }))
}

async function sendBody({ request, response }: Visit, body: () => AsyncIterable<Buffer>): Promise<void> {
  if (request.method === 'HEAD') response.end()
  else await pipeline(body(), response)
}
