// Odd but legal answers, event streams, and what arrives here: bytes on the wire.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startMonolith } from '../../legacy-mock/monolith.ts'
import type { Running } from '../../services/kit/server.ts'
import { awakeMs } from '../harness/awake.ts'
import { askBytes, awaitEntry, exchangeBytes, openSocket } from '../services/ask.ts'

let monolith: Running
beforeAll(async () => {
  monolith = await startMonolith({ port: 0 })
})
afterAll(() => monolith.stop())

const ask = (path: string, fields: readonly string[] = []) => askBytes(monolith.url, path, fields)

describe('odd but legal', () => {
  test('cookies come each in a field of its own, one name twice', async () => {
    const lines = (await ask('/odd/cookies')).split('\r\n').filter((line) => line.startsWith('Set-Cookie'))
    expect(lines).toEqual([
      'Set-Cookie: lane=1; Path=/',
      'Set-Cookie: lane=2; Path=/odd',
      'Set-Cookie: gate=B, north; Path=/; Expires=Wed, 01 Jan 2031 00:00:00 GMT',
    ])
  })

  test('field names keep their case, order and repetition', async () => {
    expect((await ask('/odd/case')).split('\r\n').slice(1, 6)).toEqual([
      ...[
        'X-FREIGHT-Zone: a',
        'x-freight-lane: 7',
        'X-Freight-zone: b',
        'CONTENT-type: text/plain',
        'content-LENGTH: 5',
      ],
    ])
  })

  test('a chunked answer ends with a trailer', async () => {
    const answer = await ask('/odd/trailer')
    expect(answer).toContain('\r\nTrailer: X-Checksum\r\n')
    expect(answer).toMatch(/\r\n0\r\nX-Checksum: b4n74n\r\n\r\n$/)
  })

  test('an encoded slash is no slash', async () => {
    expect(await ask('/odd/a%2Fb')).toMatch(/one segment\n$/)
    expect(await ask('/odd/a/b')).toMatch(/two segments\n$/)
    expect(await ask('/odd%2Fa/b')).toMatch(/^HTTP\/1.1 404 /)
  })

  test('a 103 comes before the 200', async () => {
    expect(await ask('/odd/early-hints')).toMatch(
      /^HTTP\/1.1 103 Early Hints\r\nLink: <\/freight.css>[^\r]*\r\n\r\nHTTP\/1.1 200 OK\r\n/,
    )
  })

  test('a body without a length ends where the connection ends', async () => {
    const request = 'GET /odd/close HTTP/1.1\r\nHost: x\r\n\r\n'
    const [head = '', body] = (await exchangeBytes(monolith.url, request)).split('\r\n\r\n')
    expect(head).not.toMatch(/Content-Length|Transfer-Encoding/)
    expect(body).toBe('until the connection closes\n')
  })

  test.each([
    ['/odd/204', /^HTTP\/1.1 204 No Content\r\nX-Freight: nothing to see\r\n/],
    ['/odd/304', /^HTTP\/1.1 304 Not Modified\r\nETag: "always"\r\n/],
    ['/odd/reason', /^HTTP\/1.1 200 Freight Loaded\r\n/],
  ])('%s', async (path, expected) => {
    expect(await ask(path)).toMatch(expected)
  })

  test('an absolute-form target is understood (RFC 9112 §3.2.2)', async () => {
    expect(await ask('http://elsewhere.example/odd/reason')).toMatch(/^HTTP\/1.1 200 Freight Loaded/)
  })
})

describe('events', () => {
  test('come as many as asked for, and go on behind the last one seen', async () => {
    const answer = await fetch(`${monolith.url}/events?count=3&every=1`, { headers: { 'Last-Event-ID': '41' } })
    const text = await answer.text()
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    expect(text.match(/^id: \d+$/gm)).toEqual(['id: 42', 'id: 43', 'id: 44'])
    expect(text.match(/^data: \{.*\}$/gm)).toHaveLength(3)
  })

  test('send their head before the first of them', async () => {
    const answer = await fetch(`${monolith.url}/events?every=60000`)
    const reader = answer.body?.getReader()
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe(': positions\n\n')
    await reader?.cancel()
  })

  test('end with the client that left', async () => {
    const socket = await openSocket(monolith.url)
    socket.write('GET /events?every=60000 HTTP/1.1\r\nHost: x\r\nX-Request-Id: sse\r\n\r\n')
    await awaitEntry(monolith.url, 'sse', { state: 'running' })
    socket.destroy()
    await awaitEntry(monolith.url, 'sse', { state: 'aborted', status: 200 })
  })

  test('end by themselves when the monolith stops', async () => {
    const passing = await startMonolith({ port: 0 })
    const answer = await fetch(`${passing.url}/events?every=60000`)
    const rest = answer.text()
    const startedAt = awakeMs()
    await passing.stop()
    expect(await rest).toBe(': positions\n\n')
    // Well below the 5 s after which a stop closes whatever is left.
    expect(awakeMs() - startedAt).toBeLessThan(4000)
  })
})

test('whoami tells each forwarding field as it came, and of cookies only the names', async () => {
  const fields = ['X-Forwarded-For: 1.2.3.4', 'x-forwarded-for: 5.6.7.8', 'Forwarded: for=1.2.3.4', 'Via: 1.1 banyan']
  const answer = await ask('/api/whoami', [...fields, 'Cookie: SESSION=secret; b=2'])
  const told = JSON.parse(answer.split('\r\n\r\n')[1] ?? '') as { fields: unknown; cookies: unknown }
  expect(told.fields).toMatchObject({
    Host: ['freight.example'],
    'X-Forwarded-For': ['1.2.3.4', '5.6.7.8'],
    'X-Forwarded-Proto': [],
    Forwarded: ['for=1.2.3.4'],
    Via: ['1.1 banyan'],
  })
  expect(told.cookies).toEqual(['SESSION', 'b'])
  expect(answer).not.toContain('secret')
})
