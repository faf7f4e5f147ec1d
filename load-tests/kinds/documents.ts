// Documents: downloads whole and in ranges, uploads of 64 KiB, and now and then a slow summary.
// The danger it guards against: bytes lost in the middle of a long body, which short JSON answers never show.
import { createHash } from 'node:crypto'
import type { Reply } from '../client.ts'
import { type Acquaintance, expectReply, jsonIn, type Kind, type PlannedRequest, unlessBytes } from '../requests.ts'

/** The monolith has these from its first day: a scan of 256 KiB and a text. */
const scan = '/api/documents/doc-6'
const summaryTarget = '/api/documents/doc-1/summary'
const uploadBytes = 64 * 1024
const longestRange = 32 * 1024

export async function learnDocuments({ operators, move, random }: Acquaintance): Promise<readonly Kind[]> {
  const learn = async (target: string) =>
    expectReply(await operators.ask(move.from, target), 200, `${move.from} ${target}`)
  const content = (await learn(scan)).body
  const summarised = (await learn(summaryTarget)).body
  return [
    { name: 'download', weight: 2, next: () => download(content) },
    { name: 'range', weight: 4, next: () => range(content, random) },
    { name: 'upload', weight: 2, next: () => upload(random) },
    { name: 'summary', weight: 0.03, next: () => summary(summarised) },
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

function summary(expected: Buffer): PlannedRequest {
  const ask = { method: 'GET', target: summaryTarget }
  return { kind: 'summary', ask, status: 200, complaint: unlessBytes(expected) }
}
