// What the HTTP/1.1 client takes for an answer, and what it refuses.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAnswerHead } from '../../gateway/forward/answerHead.ts'
import { ourAnswers } from '../fuzz/ours.ts'
import { startScriptedOrigin } from '../harness/origin.ts'
import { openWorld, resultOf, until, upstreamTo } from './world.ts'

const world = openWorld()
let origin: Awaited<ReturnType<typeof startScriptedOrigin>>
let script: { bytes: string; end: 'open' | 'close' | 'reset' }

beforeAll(async () => {
  origin = await startScriptedOrigin((socket) => {
    const { bytes, end } = script
    socket.write(bytes, 'latin1', () => {
      if (end === 'close') socket.end()
      if (end === 'reset') socket.resetAndDestroy()
    })
  })
})

afterAll(async () => {
  world.pools.destroy()
  await origin.close()
})

/** What one request gets, and whether its connection may carry another. */
async function answerTo(bytes: string, how: { method?: string; end?: typeof script.end } = {}) {
  const upstream = upstreamTo(origin.port)
  script = { bytes, end: how.end ?? 'open' }
  const asked = world.ask(upstream, { method: how.method ?? 'GET' })
  const result = await resultOf(asked)
  const pool = world.pools.http1(upstream.target)
  // A connection that is being destroyed counts until it has closed.
  if (/ by | broken$/.test(result)) await until(() => pool.size === 0)
  const isKept = pool.size === 1
  world.pools.retain([])
  return { result, isKept, informed: asked.informed }
}

const length3 = 'Content-Length: 3\r\n'
const chunked = 'Transfer-Encoding: chunked\r\n'
const ok = 'HTTP/1.1 200 OK\r\n'

describe('is taken', () => {
  test.each<[string, string, string, boolean]>([
    ['a sized body', `${ok}${length3}\r\nabc`, '200 abc', true],
    ['a length of nothing', `${ok}Content-Length: 0\r\n\r\n`, '200 ', true],
    ['a length with zeros before it', `${ok}Content-Length: 003\r\n\r\nabc`, '200 abc', true],
    ['a chunked body', `${ok}${chunked}\r\n1\r\na\r\n02\r\nbc\r\n0\r\n\r\n`, '200 abc', true],
    [
      'a chunked body with extensions and trailers',
      `${ok}${chunked}\r\n3;a;b="c;d"\r\nabc\r\n0;z\r\nX: y\r\n\r\n`,
      '200 abc',
      true,
    ],
    ['Chunked in another case', `${ok}Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n`, '200 ', true],
    ['a status line without a reason', `HTTP/1.1 200\r\n${length3}\r\nabc`, '200 abc', true],
    ['a reason in Latin-1', `HTTP/1.1 200 \xe9\r\n${length3}\r\nabc`, '200 abc', true],
    ['a field without a value', `${ok}X:\r\n${length3}\r\nabc`, '200 abc', true],
    ['Connection: close', `${ok}Connection: x, Close\r\n${length3}\r\nabc`, '200 abc', false],
    ['HTTP/1.0, which is not kept', `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${length3}\r\nabc`, '200 abc', false],
    [
      'bytes after the answer: not a part of it, and the end of the connection',
      `${ok}${length3}\r\nabcHTTP/1.1`,
      '200 abc',
      false,
    ],
    ['bytes after a chunked answer', `${ok}${chunked}\r\n3\r\nabc\r\n0\r\n\r\n\r\n`, '200 abc', false],
    ['204 with a length', `HTTP/1.1 204 \r\n${length3}\r\n`, '204 ', true],
    ['204 with a coding', `HTTP/1.1 204 \r\n${chunked}\r\n`, '204 ', true],
    ['304 with a length', `HTTP/1.1 304 \r\n${length3}\r\n`, '304 ', true],
    ['304 with a body that nobody may send', `HTTP/1.1 304 \r\n${length3}\r\nabc`, '304 ', false],
  ])('%s', async (_, bytes, result, isKept) => {
    expect(await answerTo(bytes)).toMatchObject({ result, isKept })
  })

  test.each([length3, chunked, ''])('an answer to HEAD has no body, whatever it says: %j', async (framing) => {
    expect(await answerTo(`${ok}${framing}\r\n`, { method: 'HEAD' })).toMatchObject({ result: '200 ', isKept: true })
    expect(await answerTo(`${ok}${framing}\r\nabc`, { method: 'HEAD' })).toMatchObject({
      result: '200 ',
      isKept: false,
    })
  })

  test('a body that lasts until the close, and no longer', async () => {
    expect(await answerTo(`${ok}\r\nabc`, { end: 'close' })).toMatchObject({ result: '200 abc', isKept: false })
    expect(await answerTo(`HTTP/1.0 200 OK\r\n\r\n`, { end: 'close' })).toMatchObject({ result: '200 ' })
  })

  test('interim answers come through, several of them, before the answer', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\n'
    const got = await answerTo(`HTTP/1.1 100 Continue\r\n\r\n${hints}HTTP/1.1 199 \r\n\r\n${ok}${length3}\r\nabc`)
    expect(got).toMatchObject({ result: '200 abc', isKept: true })
    expect(got.informed).toEqual([[100], [103, 'Link', '</a>', 'Link', '</b>'], [199]])
  })
})

describe('is refused, its connection destroyed', () => {
  test.each<[string, string]>([
    ['a length and a coding', `${ok}${length3}${chunked}\r\n0\r\n\r\n`],
    ['two lengths that differ', `${ok}${length3}Content-Length: 4\r\n\r\nabcd`],
    ['two lengths that do not', `${ok}${length3}${length3}\r\nabc`],
    ['a list of lengths', `${ok}Content-Length: 3, 3\r\n\r\nabc`],
    ['a length with a sign', `${ok}Content-Length: +3\r\n\r\nabc`],
    ['a length in hexadecimal', `${ok}Content-Length: 0x3\r\n\r\nabc`],
    ['a length that is too long', `${ok}Content-Length: 1000000000000000\r\n\r\nabc`],
    ['an empty length', `${ok}Content-Length: \r\n\r\nabc`],
    ['another coding', `${ok}Transfer-Encoding: gzip\r\n\r\nabc`],
    ['another coding before chunked', `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['chunked twice', `${ok}${chunked}${chunked}\r\n0\r\n\r\n`],
    ['a coding in HTTP/1.0', `HTTP/1.0 200 OK\r\n${chunked}\r\n0\r\n\r\n`],
    ['a length and a coding on a HEAD-like 304', `HTTP/1.1 304 \r\n${length3}${chunked}\r\n`],
    ['HTTP/2 in the status line', `HTTP/2.0 200 OK\r\n${length3}\r\nabc`],
    ['HTTP/1.2', `HTTP/1.2 200 OK\r\n${length3}\r\nabc`],
    ['lower case', `http/1.1 200 OK\r\n${length3}\r\nabc`],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['no head at all', '<html>hello</html>'],
    ['a line before the head', `\r\n${ok}${length3}\r\nabc`],
    ['two spaces', `HTTP/1.1  200 OK\r\n${length3}\r\nabc`],
    ['a status of two digits', `HTTP/1.1 20 OK\r\n${length3}\r\nabc`],
    ['a status of four', `HTTP/1.1 2000 OK\r\n${length3}\r\nabc`],
    ['a status below 100', `HTTP/1.1 099 OK\r\n${length3}\r\nabc`],
    ['a control in the reason', `HTTP/1.1 200 O\x01K\r\n${length3}\r\nabc`],
    ['a bare LF after the status line', 'HTTP/1.1 200 OK\nContent-Length: 3\n\nabc'],
    ['a bare LF after a field', `${ok}X: y\n${length3}\r\nabc`],
    ['a bare CR in a value', `${ok}X: y\rz\r\n${length3}\r\nabc`],
    ['a NUL', `${ok}X: y\0\r\n${length3}\r\nabc`],
    ['obs-fold', `${ok}X: y\r\n z\r\n${length3}\r\nabc`],
    ['a space before the colon', `${ok}Content-Length : 3\r\n\r\nabc`],
    ['a field without a name', `${ok}: y\r\n${length3}\r\nabc`],
    ['a line without a colon', `${ok}nonsense\r\n${length3}\r\nabc`],
    ['a chunk size with a sign', `${ok}${chunked}\r\n+3\r\nabc\r\n0\r\n\r\n`],
    ['a chunk size in 0x', `${ok}${chunked}\r\n0x3\r\nabc\r\n0\r\n\r\n`],
    ['a chunk size with a space', `${ok}${chunked}\r\n3 \r\nabc\r\n0\r\n\r\n`],
    ['a chunk size of nine digits', `${ok}${chunked}\r\n000000003\r\nabc\r\n0\r\n\r\n`],
    ['a chunk longer than it said', `${ok}${chunked}\r\n3\r\nabcd\r\n0\r\n\r\n`],
    ['a chunk line that ends in a bare LF', `${ok}${chunked}\r\n3\nabc\r\n0\r\n\r\n`],
    ['a trailer that frames', `${ok}${chunked}\r\n0\r\nContent-Length: 3\r\n\r\n`],
    ['a 101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
    ['an interim answer that closes', `HTTP/1.1 100 \r\nConnection: close\r\n\r\n${ok}${length3}\r\nabc`],
    ['a head of more than 256 KiB', `${ok}X: ${'x'.repeat(300 * 1024)}`],
    ['more than 1000 fields', `${ok}${'X: y\r\n'.repeat(1001)}${length3}\r\nabc`],
  ])('%s', async (_, bytes) => {
    expect(await answerTo(bytes)).toMatchObject({ result: 'upstreamMalformed by upstream', isKept: false })
  })
})

describe('half an answer is never a whole one', () => {
  const sized = `${ok}Content-Length: 6\r\n\r\nabc`
  const chunks = `${ok}${chunked}\r\n3\r\nabc\r\n`
  test.each(['close', 'reset'] as const)('a connection that ends by %s in mid-body breaks the body', async (end) => {
    for (const bytes of [sized, chunks, `${chunks}0\r\n`, `${chunks}0\r\nX: y\r\n`]) {
      expect(await answerTo(bytes, { end })).toMatchObject({ result: '200 broken', isKept: false })
    }
  })

  test('a reset breaks a body that lasts until the close', async () => {
    expect((await answerTo(`${ok}\r\nabc`, { end: 'reset' })).result).toBe('200 broken')
  })

  test('a bad chunk after a good one breaks the body', () => {
    const cuts = [chunks.length, chunks.length + 4]
    expect(ourAnswers('GET', `${chunks}0x1\r\na\r\n0\r\n\r\n`, cuts)).toEqual([])
  })

  test.each(['', 'HTTP/1.1 2', `${ok}X: y\r\n`])('a close after %j is no answer', async (bytes) => {
    expect((await answerTo(bytes, { end: 'close' })).result).toBe('upstreamReset by upstream')
  })
})

describe('however the bytes are cut', () => {
  const answers = [
    `HTTP/1.1 100 \r\n\r\nHTTP/1.1 103 \r\nLink: x\r\n\r\n${ok}X: y\r\n${length3}\r\nabc`,
    `${ok}${chunked}\r\n3;a="b"\r\nabc\r\nA\r\n0123456789\r\n0\r\nX: y\r\nZ: \r\n\r\n`,
    `${ok}\r\nuntil the close`,
    `HTTP/1.1 204 \r\n\r\n`,
  ]
  const reading = (bytes: string, cuts: number[]) => ourAnswers('GET', bytes, cuts).map(({ end: _, ...rest }) => rest)

  test.each(answers)('%j is read the same, cut at any two places', (bytes) => {
    const whole = reading(bytes, [bytes.length])
    expect(whole.length).toBeGreaterThan(0)
    for (let one = 0; one <= bytes.length; one += 1) {
      for (let two = one; two <= bytes.length; two += 7) expect(reading(bytes, [one, two, bytes.length])).toEqual(whole)
    }
    expect(
      reading(
        bytes,
        Array.from(bytes, (_, i) => i + 1),
      ),
    ).toEqual(whole)
  })

  test('an answer of a random length, cut anywhere, is itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), fc.array(fc.nat(200), { maxLength: 5 }), (body, places) => {
        const bytes = `${ok}Content-Length: ${body.length}\r\n\r\n${body}`
        const cuts = [...places.filter((at) => at < bytes.length).sort((a, b) => a - b), bytes.length]
        expect(reading(bytes, cuts)).toMatchObject([{ body }])
      }),
    )
  })
})

test('an upstream says how long it keeps an idle connection, where it can be understood', () => {
  const keptFor = (value: string) =>
    parseAnswerHead(Buffer.from(`${ok}Keep-Alive: ${value}\r\n\r\n`), 'GET')?.keepsIdleMs
  expect(['timeout=5', 'timeout=5, max=9', 'max=9,timeout=7', 'Timeout=0'].map(keptFor)).toEqual([5000, 5000, 7000, 0])
  expect(['5', 'timeout=x', 'xtimeout=5', ''].map(keptFor)).toEqual([undefined, undefined, undefined, undefined])
})
