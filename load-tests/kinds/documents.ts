// Documents: downloads whole and in ranges, uploads of 64 KiB, and now and then a slow summary.
// The danger it guards against: bytes lost in the middle of a long body, which short JSON answers never show.
import { createHash } from 'node:crypto'
import type { Reply } from '../client.ts'
import {
  type Acquaintance,
  expectReply,
  jsonIn,
  type Kind,
  type PlannedRequest,
  pickFrom,
  unlessBytes,
} from '../requests.ts'

/** The monolith has these from its first day: a scan of 256 KiB, and texts, of which two will do. */
const scan = '/api/documents/doc-6'
const texts = ['doc-1', 'doc-4']
const uploadBytes = 64 * 1024
const longestRange = 32 * 1024

export async function learnDocuments({ operators, move, random }: Acquaintance): Promise<readonly Kind[]> {
  const learn = async (target: string) =>
    expectReply(await operators.ask(move.from, target), 200, `${move.from} ${target}`)
  const content = (await learn(scan)).body
  const summaries = await Promise.all(
    texts.map(async (id) => {
      const target = `/api/documents/${id}/summary`
      return { target, body: (await learn(target)).body }
    }),
  )
  return [
    { name: 'download', weight: 2, next: () => download(content) },
    { name: 'range', weight: 4, next: () => range(content, random) },
    { name: 'upload', weight: 2, next: () => upload(random) },
    { name: 'summary', weight: 0.03, next: () => summary(pickFrom(summaries, random)) },
  ]
}

function download(content: Buffer): PlannedRequest {
  return { kind: 'download', ask: { method: 'GET', target: scan }, status: 200, complaint: unlessBytes(content) }
}

/** One range (RFC 9110 §14.2) somewhere in the document. */
function range(content: Buffer, random: () => number): PlannedRequest {
  const first = Math.floor(random() * content.length)
  const last = Math.min(content.length - 1, first + Math.floor(random() * longestRange))
  const expected = `bytes ${first}-${last}/${content.length}`
  const isRight = unlessBytes(content.subarray(first, last + 1))
  return {
    kind: 'range',
    ask: { method: 'GET', target: scan, fields: { Range: `bytes=${first}-${last}` } },
    status: 206,
    complaint: (reply) =>
      reply.fields['content-range'] === expected ? isRight(reply) : `Content-Range is not ${expected}`,
  }
}

/** Other bytes each time: what is stored under their hash is what was sent, all of it. */
function upload(random: () => number): PlannedRequest {
  const content = Buffer.from(Float64Array.from({ length: uploadBytes / 8 }, random).buffer)
  const sha256 = createHash('sha256').update(content).digest('hex')
  const boundary = `cutover-${sha256.slice(0, 16)}`
  const body = Buffer.concat([
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="load.bin"\r\n` +
        'Content-Type: application/octet-stream\r\n\r\n',
    ),
    content,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
  const fields = { 'Content-Type': `multipart/form-data; boundary=${boundary}` }
  return {
    kind: 'upload',
    ask: { method: 'POST', target: '/api/documents', fields, body },
    status: 201,
    complaint: (reply) => complaintAboutStored(reply, sha256),
  }
}

function complaintAboutStored(reply: Reply, sha256: string): string | undefined {
  const [stored] = jsonIn<{ documents: readonly { bytes: number; sha256: string }[] }>(reply).documents
  if (stored?.bytes === uploadBytes && stored.sha256 === sha256) return undefined
  return `stored ${stored?.bytes} bytes with another hash than the ${uploadBytes} sent`
}

function summary({ target, body }: { target: string; body: Buffer }): PlannedRequest {
  return { kind: 'summary', ask: { method: 'GET', target }, status: 200, complaint: unlessBytes(body) }
}
