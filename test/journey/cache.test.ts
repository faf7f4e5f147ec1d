// What comes from stock, what is asked after, and what becomes of conditions, parts and heads: through both doors.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ask, counting, result, startCaching, startCounted, until, whole } from './caching.ts'

const fresh = { 'Cache-Control': 'max-age=100' }
/** Stale at once, and may be asked after. */
const stale = { 'Cache-Control': 'max-age=10', Age: '50', ETag: '"a"' }

describe('from stock', () => {
  test('comes the second answer, with its age and length, and says so', async () => {
    const origin = await startCounted(counting({ ...fresh, 'X-Case': 'Kept', Age: '7' }))
    const gateway = await startCaching(origin)
    const first = await ask(`${gateway.url}/c/a?b=1`)
    expect([first.text, first.fields['cache-status']]).toEqual(['answer 1', 'banyan; fwd=uri-miss; stored'])
    const second = await ask(`${gateway.url}/c/a?b=1`)
    expect(second).toMatchObject({ status: 200, text: 'answer 1', fields: { 'x-case': 'Kept', 'content-length': '8' } })
    expect(Number(second.fields.age)).toBeGreaterThanOrEqual(7)
    expect(second.fields['cache-status']).toMatch(/^banyan; hit; ttl=9[0-3]$/)
    expect((await ask(`${gateway.url}/c/a?b=2`)).text).toBe('answer 2')
    expect(origin.asked).toHaveLength(2)
    expect([await result(gateway, 'hit'), await result(gateway, 'miss')]).toEqual([1, 2])
  })

  test('comes nothing where the origin is silent and the route too, and no word of a cache unless the route asks', async () => {
    const origin = await startCounted(counting({}))
    const gateway = await startCaching(origin, '{}')
    await ask(`${gateway.url}/c/a`)
    const second = await ask(`${gateway.url}/c/a`)
    expect([second.text, second.fields['cache-status'], second.fields.age]).toEqual(['answer 2', undefined, undefined])
  })

  test('comes for as long as the route says what its origin is silent about', async () => {
    const origin = await startCounted(counting({}))
    const gateway = await startCaching(origin, '{ fresh: 30s, negative: { 404: 10s } }')
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('answer 1')
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('answer 1')
    origin.answer = counting({}, 404)
    await ask(`${gateway.url}/c/b`)
    expect(await ask(`${gateway.url}/c/b`)).toMatchObject({ status: 404, text: 'answer 1' })
    origin.answer = counting({ 'Cache-Control': 'no-store' })
    await ask(`${gateway.url}/c/d`)
    expect((await ask(`${gateway.url}/c/d`)).text).toBe('answer 2')
  })

  test('comes a HEAD of what a GET has brought; a HEAD brings nothing', async () => {
    const origin = await startCounted(counting({ ...fresh, 'Content-Length': '8' }))
    const gateway = await startCaching(origin)
    expect((await ask(`${gateway.url}/c/a`, {}, 'HEAD')).fields['cache-status']).toBe('banyan; fwd=bypass')
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('answer 2')
    const head = await ask(`${gateway.url}/c/a`, {}, 'HEAD')
    expect(head).toMatchObject({ status: 200, text: '', fields: { 'content-length': '8' } })
    expect(origin.asked.map(({ method }) => method)).toEqual(['HEAD', 'GET'])
  })

  test('comes a part of a stored whole, or that there is no such part; a part alone brings nothing', async () => {
    const origin = await startCounted((_, response) => whole(response, '0123456789', { ...fresh, ETag: '"a"' }))
    const gateway = await startCaching(origin)
    await ask(`${gateway.url}/c/a`, { Range: 'bytes=0-1' })
    expect(origin.asked[0]?.headers.range).toBe('bytes=0-1')
    await ask(`${gateway.url}/c/a`)
    const part = await ask(`${gateway.url}/c/a`, { Range: 'bytes=2-4' })
    expect(part).toMatchObject({
      status: 206,
      text: '234',
      fields: { 'content-range': 'bytes 2-4/10', 'content-length': '3' },
    })
    expect(await ask(`${gateway.url}/c/a`, { Range: 'bytes=10-' })).toMatchObject({
      status: 416,
      fields: { 'content-range': 'bytes */10' },
    })
    expect((await ask(`${gateway.url}/c/a`, { Range: 'bytes=2-4', 'If-Range': '"b"' })).text).toBe('0123456789')
    expect(origin.asked).toHaveLength(2)
  })

  test('comes that the client has it already', async () => {
    const origin = await startCounted(counting({ ...fresh, ETag: '"a"' }))
    const gateway = await startCaching(origin)
    const cold = await ask(`${gateway.url}/c/a`, { 'If-None-Match': '"a"' })
    expect(cold).toMatchObject({ status: 304, text: '', fields: { etag: '"a"', 'cache-control': 'max-age=100' } })
    expect(origin.asked[0]?.headers).not.toHaveProperty('if-none-match')
    expect(await ask(`${gateway.url}/c/a`, { 'If-None-Match': 'W/"a", "b"' })).toMatchObject({ status: 304, text: '' })
    expect((await ask(`${gateway.url}/c/a`, { 'If-None-Match': '"b"' })).text).toBe('answer 1')
    expect(origin.asked).toHaveLength(1)
  })

  test('comes for each what it varies by', async () => {
    const origin = await startCounted((request, response) =>
      response.writeHead(200, { ...fresh, Vary: 'Accept-Language' }).end(String(request.headers['accept-language'])),
    )
    const gateway = await startCaching(origin)
    for (const language of ['de', 'en', 'de', 'DE', 'en'])
      expect((await ask(`${gateway.url}/c/a`, { 'Accept-Language': language })).text).toBe(language.toLowerCase())
    expect((await ask(`${gateway.url}/c/a`)).fields['cache-status']).toBe('banyan; fwd=vary-miss; stored')
    expect(origin.asked).toHaveLength(3)
  })

  test('comes nothing to whoever reloads, and nothing else to whoever wants nothing else', async () => {
    const origin = await startCounted(counting(fresh))
    const gateway = await startCaching(origin)
    const onlyIfCached = { 'Cache-Control': 'only-if-cached' }
    expect(await ask(`${gateway.url}/c/a`, onlyIfCached)).toMatchObject({ status: 504 })
    await ask(`${gateway.url}/c/a`)
    expect((await ask(`${gateway.url}/c/a`, { 'Cache-Control': 'no-cache' })).text).toBe('answer 2')
    expect((await ask(`${gateway.url}/c/a`, onlyIfCached)).text).toBe('answer 2')
    expect((await ask(`${gateway.url}/c/b`, { 'Cache-Control': 'no-store' })).text).toBe('answer 3')
    expect((await ask(`${gateway.url}/c/b`)).text).toBe('answer 4')
  })

  test('comes a body that was streamed, byte for byte', async () => {
    const body = Buffer.from(Array.from({ length: 900_000 }, (_, i) => (i * 31) & 0xff))
    const origin = await startCounted((_, response) => {
      response.writeHead(200, fresh)
      for (let at = 0; at < body.length; at += 50_000) response.write(body.subarray(at, at + 50_000))
      response.end()
    })
    const gateway = await startCaching(origin)
    const digest = async () => {
      const answer = Buffer.from(await (await fetch(`${gateway.url}/c/a`)).arrayBuffer())
      return createHash('sha256').update(answer).digest('hex')
    }
    const first = await digest()
    await until(async () => (await gateway.metric('banyan_cache_keys')) === 1)
    expect([first, await digest()]).toEqual(Array(2).fill(createHash('sha256').update(body).digest('hex')))
    expect(origin.asked).toHaveLength(1)
  })
})

describe('what is stale', () => {
  test('is asked after, and given when it still holds', async () => {
    const origin = await startCounted(counting(stale))
    const gateway = await startCaching(origin)
    await ask(`${gateway.url}/c/a`)
    origin.answer = (_, response) => response.writeHead(304, { ...fresh, ETag: '"a"', 'Set-Cookie': 'x=1' }).end()
    const confirmed = await ask(`${gateway.url}/c/a`)
    expect(confirmed).toMatchObject({
      status: 200,
      text: 'answer 1',
      fields: { 'cache-control': 'max-age=100', 'set-cookie': ['x=1'] },
    })
    expect(confirmed.fields['cache-status']).toBe('banyan; fwd=stale; fwd-status=304; stored')
    expect(origin.asked[1]?.headers['if-none-match']).toBe('"a"')
    const third = await ask(`${gateway.url}/c/a`)
    expect(third.text).toBe('answer 1')
    expect(third.fields).not.toHaveProperty('set-cookie')
    expect(origin.asked).toHaveLength(2)
    expect([await result(gateway, 'revalidated'), await result(gateway, 'hit')]).toEqual([1, 1])
  })

  test("is asked after by our own condition, and the client's is answered here", async () => {
    const origin = await startCounted(counting(stale))
    const gateway = await startCaching(origin)
    await ask(`${gateway.url}/c/a`)
    origin.answer = (_, response) => response.writeHead(304, fresh).end()
    expect((await ask(`${gateway.url}/c/a`, { 'If-None-Match': '"theirs"', Range: 'bytes=0-0' })).text).toBe('a')
    expect(origin.asked[1]?.headers).toMatchObject({ 'if-none-match': '"a"' })
    expect(origin.asked[1]?.headers).not.toHaveProperty('range')
  })

  test('gives way to what has come in its place', async () => {
    const origin = await startCounted(counting(stale))
    const gateway = await startCaching(origin)
    await ask(`${gateway.url}/c/a`)
    origin.answer = (_, response) => response.writeHead(200, { ...fresh, ETag: '"b"' }).end('new')
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('new')
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('new')
    expect(origin.asked).toHaveLength(2)
  })

  test('is forgotten when what comes in its place is not to be stored', async () => {
    const origin = await startCounted(counting({ ...stale, 'Cache-Control': 'max-age=10, stale-if-error=1000' }))
    const gateway = await startCaching(origin)
    await ask(`${gateway.url}/c/a`)
    origin.answer = (_, response) => response.writeHead(200, { 'Cache-Control': 'private' }).end('mine')
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('mine')
    await origin.close()
    expect((await ask(`${gateway.url}/c/a`)).status).toBe(502)
  })

  test('is given while it is asked after behind the client, once for all (RFC 5861)', async () => {
    const origin = await startCounted(counting(stale))
    const gateway = await startCaching(origin, '{ staleWhileRevalidate: 60s, status: true }')
    await ask(`${gateway.url}/c/a`)
    let release = () => {}
    origin.answer = (_, response) => {
      release = () => response.writeHead(200, fresh).end('new')
    }
    const given = await Promise.all(Array.from({ length: 20 }, () => ask(`${gateway.url}/c/a`)))
    expect(new Set(given.map(({ text }) => text))).toEqual(new Set(['answer 1']))
    expect(given[0]?.fields['cache-status']).toMatch(/^banyan; hit; ttl=-4\d$/)
    await until(async () => origin.asked.length === 2)
    release()
    await until(async () => (await ask(`${gateway.url}/c/a`)).text === 'new')
    expect(origin.asked).toHaveLength(2)
    expect(
      await gateway.metric('banyan_upstream_attempts_total{upstream="origin",role="revalidate",blame="",code=""}'),
    ).toBe(1)
  })

  test.each([
    ['refuses', async (origin: { close(): Promise<void> }) => origin.close()],
    ['says 503', async (origin: { answer: unknown }) => Object.assign(origin, { answer: counting({}, 503) })],
    [
      'breaks off',
      async (origin: { answer: unknown }) =>
        Object.assign(origin, { answer: (r: { socket: { destroy(): void } }) => r.socket.destroy() }),
    ],
  ])('is given while the upstream %s, to heads too, and not to whoever must not have it', async (_, fail) => {
    const origin = await startCounted(counting(stale))
    const gateway = await startCaching(origin, '{ staleIfError: 10m, status: true }')
    await ask(`${gateway.url}/c/a`)
    origin.answer = counting({ ...stale, 'Cache-Control': 'max-age=10, must-revalidate' })
    await ask(`${gateway.url}/c/strict`)
    await fail(origin)
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('answer 1')
    expect(await ask(`${gateway.url}/c/a`, {}, 'HEAD')).toMatchObject({ status: 200, text: '' })
    expect((await ask(`${gateway.url}/c/strict`)).status).toBeGreaterThanOrEqual(502)
    expect((await ask(`${gateway.url}/c/a`, { 'Cache-Control': 'no-cache' })).status).toBeGreaterThanOrEqual(502)
    expect(await result(gateway, 'stale')).toBe(2)
  })
})
