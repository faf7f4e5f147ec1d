// Documents: in by multipart, out with ranges.
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DocumentRow } from '../../legacy-mock/documents/documents.ts'
import { startMonolith } from '../../legacy-mock/monolith.ts'
import type { Running } from '../../services/kit/server.ts'
import { awaitEntry, openSocket } from '../services/ask.ts'

let monolith: Running
let dataDir: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'documents-test-'))
  monolith = await startMonolith({ port: 0, dataDir, now: () => Date.UTC(2026, 0, 2, 3, 4, 5) })
})
afterAll(async () => {
  await monolith.stop()
  await rm(dataDir, { recursive: true })
})

const ask = (path: string, fields: Record<string, string> = {}) => fetch(`${monolith.url}${path}`, { headers: fields })
const upload = (form: FormData) => fetch(`${monolith.url}/api/documents`, { method: 'POST', body: form })
const arriving = async () => (await readdir(join(dataDir, 'documents'))).filter((name) => name.startsWith('arriving'))

function formOf(...files: readonly File[]): FormData {
  const form = new FormData()
  form.append('note', 'a field that is no file')
  for (const file of files) form.append('file', file)
  return form
}

describe('an upload', () => {
  test('of 20 MB comes out byte for byte, under an absolute Location', async () => {
    const bytes = Buffer.alloc(20_000_000, 'freight\r\n--')
    const answer = await upload(formOf(new File([bytes], 'C:\\ships\\Größe "7".bin', { type: 'application/x-ship' })))
    const { documents } = (await answer.json()) as { documents: DocumentRow[] }
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    expect(answer.status).toBe(201)
    expect(answer.headers.get('location')).toBe(`${monolith.url}/api/documents/${documents[0]?.id}`)
    expect(documents).toEqual([
      expect.objectContaining({ name: 'Größe "7".bin', type: 'application/x-ship', bytes: bytes.length, sha256 }),
    ])
    const download = await fetch(answer.headers.get('location') ?? '')
    expect(download.headers.get('content-disposition')).toContain("filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%227%22.bin")
    const back = Buffer.from(await download.arrayBuffer())
    expect(createHash('sha256').update(back).digest('hex')).toBe(sha256)
  })

  test('of several files stores each, and lists them', async () => {
    const answer = await upload(formOf(new File(['a'], 'a.txt'), new File([], 'empty.txt')))
    const { documents } = (await answer.json()) as { documents: DocumentRow[] }
    expect(documents.map(({ name, bytes }) => [name, bytes])).toEqual([
      ['a.txt', 1],
      ['empty.txt', 0],
    ])
    const list = (await (await ask('/api/documents?size=200')).json()) as { documents: DocumentRow[] }
    expect(list.documents).toEqual(expect.arrayContaining(documents))
    const empty = await ask(`/api/documents/${documents[1]?.id}`)
    expect([empty.status, empty.headers.get('content-length'), await empty.text()]).toEqual([200, '0', ''])
  })

  test('beyond 50 MB is 413, keeps nothing, and the client gets to read it', async () => {
    const list = async () => ((await (await ask('/api/documents')).json()) as { total: number }).total
    const before = await list()
    const small = new File(['kept only if all is well'], 'small.txt')
    const answer = await upload(formOf(small, new File([new Uint8Array(50 * 1024 * 1024)], 'big.bin')))
    expect([answer.status, await answer.json()]).toEqual([413, { error: 'an upload is at most 52428800 bytes' }])
    expect([await list(), await arriving()]).toEqual([before, []])
  })

  test('that breaks off leaves no file behind', async () => {
    const socket = await openSocket(monolith.url)
    const fields = 'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\nX-Request-Id: broke'
    socket.write(`POST /api/documents HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n`)
    socket.write('--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nhalf')
    await awaitEntry(monolith.url, 'broke', { state: 'running' })
    socket.destroy()
    await awaitEntry(monolith.url, 'broke', { state: 'aborted' })
    await expect.poll(arriving).toEqual([])
  })

  test.each([
    ['text/plain', 'x', 415],
    ['multipart/form-data', 'x', 415],
    ['multipart/form-data; boundary=', 'x', 400],
    ['multipart/form-data; boundary=b', '--b--\r\n', 400],
    ['multipart/form-data; boundary=b', '', 400],
    ['multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; filename="f"\r\n\r\nno end', 400],
    ['multipart/form-data; boundary=b', '--b\r\nno colon\r\n\r\nx\r\n--b--', 400],
    ['multipart/form-data; boundary=b', `--b\r\nX: ${'y'.repeat(20_000)}\r\n\r\nx\r\n--b--`, 400],
  ])('of %s with %j is %d', async (type, body, status) => {
    const init = { method: 'POST', headers: { 'Content-Type': type }, body }
    const answer = await fetch(`${monolith.url}/api/documents`, init)
    expect([answer.status, await answer.json()]).toEqual([status, { error: expect.any(String) }])
  })
})

describe('a download', () => {
  test('of a range is 206 with just these bytes', async () => {
    const whole = Buffer.from(await (await ask('/api/documents/doc-6')).arrayBuffer())
    const answer = await ask('/api/documents/doc-6', { Range: 'bytes=1000-1999' })
    expect(answer.status).toBe(206)
    expect(answer.headers.get('content-range')).toBe(`bytes 1000-1999/${whole.length}`)
    expect(Buffer.from(await answer.arrayBuffer()).equals(whole.subarray(1000, 2000))).toBe(true)
    const end = await ask('/api/documents/doc-6', { Range: 'bytes=-7' })
    expect(Buffer.from(await end.arrayBuffer()).equals(whole.subarray(-7))).toBe(true)
  })

  test('of several ranges is multipart/byteranges of the announced length', async () => {
    const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer()).toString('latin1')
    const whole = await bytesOf(await ask('/api/documents/doc-1'))
    const answer = await ask('/api/documents/doc-1', { Range: 'bytes=0-4, 100-109' })
    const body = await bytesOf(answer)
    const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(answer.headers.get('content-type') ?? '')?.[1]
    expect([answer.status, Number(answer.headers.get('content-length'))]).toEqual([206, body.length])
    const parts = body.split(`\r\n--${boundary}`)
    expect(parts).toHaveLength(4)
    expect(parts[1]).toBe(partOf(0, 4))
    expect(parts[2]).toBe(partOf(100, 109))
    expect(parts[3]).toBe('--\r\n')

    function partOf(first: number, last: number): string {
      const range = `Content-Range: bytes ${first}-${last}/${whole.length}`
      return `\r\nContent-Type: text/plain; charset=utf-8\r\n${range}\r\n\r\n${whole.slice(first, last + 1)}`
    }
  })

  test('of a range behind the end is 416 and tells the length', async () => {
    const answer = await ask('/api/documents/doc-6', { Range: 'bytes=262144-' })
    expect([answer.status, answer.headers.get('content-range')]).toEqual([416, 'bytes */262144'])
  })

  test('goes on after If-Range only in the same version', async () => {
    const { headers } = await ask('/api/documents/doc-6')
    const tag = headers.get('etag') ?? ''
    const changed = headers.get('last-modified') ?? ''
    expect(changed).toBe('Fri, 02 Jan 2026 03:04:05 GMT')
    const statusWith = async (ifRange: string) => {
      const answer = await ask('/api/documents/doc-6', { Range: 'bytes=0-9', 'If-Range': ifRange })
      return [answer.status, (await answer.arrayBuffer()).byteLength]
    }
    expect(await statusWith(tag)).toEqual([206, 10])
    expect(await statusWith(changed)).toEqual([206, 10])
    expect(await statusWith('"another"')).toEqual([200, 262_144])
    expect(await statusWith(`W/${tag}`)).toEqual([200, 262_144])
  })

  test('of a known version is 304, even where a range is wanted', async () => {
    const tag = (await ask('/api/documents/doc-6')).headers.get('etag') ?? ''
    const answer = await ask('/api/documents/doc-6', { 'If-None-Match': tag, Range: 'bytes=0-9' })
    expect([answer.status, await answer.text()]).toEqual([304, ''])
  })

  test('by HEAD has the fields of GET and no body', async () => {
    const answer = await fetch(`${monolith.url}/api/documents/doc-6`, { method: 'HEAD' })
    expect([answer.status, answer.headers.get('content-length'), await answer.text()]).toEqual([200, '262144', ''])
  })

  test.each(['doc-999', 'doc-', '..%2f..%2ffreight.db', 'arriving-1'])('of %s is 404', async (id) => {
    expect((await ask(`/api/documents/${id}`)).status).toBe(404)
  })
})
