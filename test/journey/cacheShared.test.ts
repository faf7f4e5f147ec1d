// Whom an answer in stock is given to: all who wait for it, nobody whose it is not, and nobody once it is void.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { startRawOrigin } from '../harness/origin.ts'
import { ask, counting, result, start, startCaching, startCounted, startGateway, until } from './caching.ts'

const fresh = { 'Cache-Control': 'max-age=100' }
const crowd = 200

/** Holds its answers until they are let go. */
function held(answer: (response: ServerResponse, times: number) => void) {
  const waiting: ServerResponse[] = []
  return {
    listener: (_: unknown, response: ServerResponse) => void waiting.push(response),
    release: () => {
      for (const [i, response] of waiting.splice(0).entries()) answer(response, i)
    },
  }
}

describe('many who want the same at once', () => {
  test(`cause one request: ${crowd} on one cold key`, async () => {
    const { listener, release } = held((response) => response.writeHead(200, fresh).end('once'))
    const origin = await startCounted(listener)
    const gateway = await startCaching(origin)
    const answers = Array.from({ length: crowd }, () => ask(`${gateway.url}/c/a`))
    await until(async () => (await gateway.metric('banyan_requests_in_flight')) === crowd)
    release()
    const given = await Promise.all(answers)
    expect(given.every(({ status, text }) => status === 200 && text === 'once')).toBe(true)
    expect(origin.asked).toHaveLength(1)
    expect([await result(gateway, 'miss'), await result(gateway, 'collapsed')]).toEqual([1, crowd - 1])
    expect(given.filter(({ fields }) => fields['cache-status'] === 'banyan; fwd=uri-miss; collapsed')).toHaveLength(
      crowd - 1,
    )
  })

  test('ask for themselves as soon as its head says that it is for one alone, and the next ones at once', async () => {
    let open: ServerResponse | undefined
    const origin = await startCounted((_, response) => {
      response.writeHead(200, { 'Cache-Control': 'private' })
      if (open) return response.end('own')
      open = response
      response.write('its body is slow')
    })
    const gateway = await startCaching(origin)
    const first = start(`${gateway.url}/c/a`)
    const others = await Promise.all(Array.from({ length: 10 }, () => ask(`${gateway.url}/c/a`)))
    expect(others.every(({ text }) => text === 'own')).toBe(true)
    expect(origin.asked).toHaveLength(11)
    open?.end()
    expect(await text(await first)).toBe('its body is slow')
    expect((await ask(`${gateway.url}/c/a`, { 'If-None-Match': '"x"' })).fields['cache-status']).toBe(
      'banyan; fwd=bypass',
    )
    expect(origin.asked[11]?.headers['if-none-match']).toBe('"x"')
  })

  test('cause one request for each that it varies by', async () => {
    const { listener, release } = held((response) => response.writeHead(200, { ...fresh, Vary: 'X-Kind' }).end('x'))
    const origin = await startCounted(listener)
    const gateway = await startCaching(origin)
    const answers = Array.from({ length: 60 }, (_, i) => ask(`${gateway.url}/c/a`, { 'X-Kind': `${i % 3}` }))
    await until(async () => (await gateway.metric('banyan_requests_in_flight')) === 60)
    release()
    await until(async () => origin.asked.length === 3)
    release()
    await Promise.all(answers)
    expect(origin.asked).toHaveLength(3)
  })

  test('share its failure, and none of them asks a dead upstream again', async () => {
    const { listener, release } = held((response) => response.socket?.destroy())
    const origin = await startCounted(listener)
    const gateway = await startCaching(origin)
    const answers = Array.from({ length: 20 }, () => ask(`${gateway.url}/c/a`))
    await until(async () => (await gateway.metric('banyan_requests_in_flight')) === 20)
    release()
    expect(new Set((await Promise.all(answers)).map(({ status }) => status))).toEqual(new Set([502]))
    expect(origin.asked).toHaveLength(1)
  })

  test('have it although the first of them has left', async () => {
    const { listener, release } = held((response) => response.writeHead(200, fresh).end('once'))
    const origin = await startCounted(listener)
    const gateway = await startCaching(origin)
    const leaving = new AbortController()
    const first = fetch(`${gateway.url}/c/a`, { signal: leaving.signal }).catch(() => 'left')
    await until(async () => origin.asked.length === 1)
    const others = Array.from({ length: 3 }, () => ask(`${gateway.url}/c/a`))
    await until(async () => (await gateway.metric('banyan_requests_in_flight')) === 4)
    leaving.abort()
    expect(await first).toBe('left')
    release()
    expect((await Promise.all(others)).map(({ text }) => text)).toEqual(['once', 'once', 'once'])
    expect(origin.asked).toHaveLength(1)
  })
})

describe('a body on its way into stock', () => {
  const piece = Buffer.alloc(64 * 1024, 'x')

  test('is read on when its client has left in its midst', async () => {
    let open: ServerResponse | undefined
    const origin = await startCounted((_, response) => {
      open = response.writeHead(200, fresh)
      response.write(piece)
    })
    const gateway = await startCaching(origin)
    const leaving = await start(`${gateway.url}/c/a`)
    leaving.on('error', () => {})
    leaving.destroy()
    await until(async () => (await gateway.metric('banyan_requests_in_flight')) === 0)
    open?.end(piece)
    await until(async () => (await gateway.metric('banyan_cache_keys')) === 1)
    expect((await ask(`${gateway.url}/c/a`)).text).toHaveLength(2 * piece.length)
    expect(origin.asked).toHaveLength(1)
  })

  test('does not wait for a client who does not read', async () => {
    const origin = await startCounted((_, response) => {
      response.writeHead(200, fresh)
      for (let i = 0; i < 15; i += 1) response.write(piece)
      response.end()
    })
    const gateway = await startCaching(origin)
    const slow = await start(`${gateway.url}/c/a`)
    slow.pause()
    await until(async () => (await gateway.metric('banyan_cache_keys')) === 1)
    expect((await ask(`${gateway.url}/c/a`)).text).toHaveLength(15 * piece.length)
    expect(await text(slow)).toHaveLength(15 * piece.length)
    expect(origin.asked).toHaveLength(1)
  })

  test.each([true, false])(
    "beyond the bound is its client's own, and the others ask for themselves (declared: %s)",
    async (isDeclared) => {
      const bytes = 40 * piece.length
      const origin = await startCounted((_, response) => {
        response.writeHead(200, { ...fresh, ...(isDeclared && { 'Content-Length': bytes }) })
        for (let i = 0; i < 40; i += 1) response.write(piece)
        response.end()
      })
      const gateway = await startCaching(origin)
      const answers = await Promise.all(Array.from({ length: 5 }, () => ask(`${gateway.url}/c/a`)))
      expect(answers.every(({ text }) => text.length === bytes)).toBe(true)
      expect(origin.asked).toHaveLength(5)
      expect((await ask(`${gateway.url}/c/a`)).fields['cache-status']).toBe('banyan; fwd=bypass')
      expect(await gateway.metric('banyan_cache_keys')).toBe(0)
      const attempts = 'banyan_upstream_attempts_total{upstream="origin",role="primary",blame="",code=""}'
      await until(async () => (await gateway.metric(attempts)) === 6)
    },
  )

  test('beyond the bound ends with its client', async () => {
    const closed: Promise<unknown>[] = []
    const origin = await startCounted((_, response) => {
      closed.push(once(response, 'close'))
      response.writeHead(200, fresh)
      const more = () => {
        while (!response.destroyed && response.write(piece));
      }
      response.on('drain', more)
      more()
    })
    const gateway = await startCaching(origin)
    const endless = await start(`${gateway.url}/c/a`)
    endless.on('error', () => {})
    let bytes = 0
    for await (const chunk of endless) {
      bytes += chunk.length
      if (bytes > 3 * 1024 * 1024) break
    }
    await closed[0]
    await until(async () => (await gateway.metric('banyan_requests_in_flight')) === 0)
    expect(await gateway.metric('banyan_cache_keys')).toBe(0)
  })

  test.each([
    ['breaks in mid-body', 'HTTP/1.1 200 OK\r\nCache-Control: max-age=100\r\nContent-Length: 100\r\n\r\nhalf'],
    [
      'breaks between chunks',
      'HTTP/1.1 200 OK\r\nCache-Control: max-age=100\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
    ],
    [
      'ends with its connection, so that nobody knows (RFC 9112 §8)',
      'HTTP/1.1 200 OK\r\nCache-Control: max-age=100\r\n\r\nhalf',
    ],
  ])('is not stored when it %s', async (_, bytes) => {
    let times = 0
    const origin = await startRawOrigin((socket) =>
      socket.on('data', () => {
        times += 1
        socket.end(bytes)
      }),
    )
    const gateway = await startGateway(`
accessLog: off
sessionCookie: S
upstreams: { origin: { url: "${origin.url}" } }
unmatched: origin
routes: [{ name: c, match: { path: /c/* }, upstream: origin, cache: {} }]
`)
    for (let i = 0; i < 3; i += 1) await ask(`${gateway.url}/c/a`).catch(() => 'broken')
    expect(times).toBe(3)
    expect(await gateway.metric('banyan_cache_keys')).toBe(0)
    await gateway.close()
    await origin.close()
  })
})

describe('two clients', () => {
  const as = (who: string) => ({ Cookie: `SESSION=${who}` })
  const echo = (fields: Record<string, string>) =>
    startCounted((request, response) =>
      response.writeHead(200, fields).end(String(request.headers.cookie ?? request.headers.authorization)),
    )

  test('never share what is not for all', async () => {
    const origin = await echo({})
    const gateway = await startCaching(origin, '{ fresh: 30s }')
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('undefined')
    for (const who of ['ann', 'bob', 'ann'])
      expect((await ask(`${gateway.url}/c/a`, as(who))).text).toBe(`SESSION=${who}`)
    for (const who of ['ann', 'bob']) expect((await ask(`${gateway.url}/c/a`, { Authorization: who })).text).toBe(who)
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('undefined')
    expect(origin.asked).toHaveLength(6)
  })

  test('never share when they come at the same moment', async () => {
    const waiting: (() => void)[] = []
    const origin = await startCounted(
      (request, response) =>
        void waiting.push(() => response.writeHead(200, fresh).end(String(request.headers.cookie))),
    )
    const gateway = await startCaching(origin)
    const answers = ['ann', 'bob', 'eve'].map(async (who) => ({ who, ...(await ask(`${gateway.url}/c/a`, as(who))) }))
    for (let left = 3; left > 0; left -= 1) {
      await until(async () => waiting.length > 0)
      waiting.shift()?.()
      if (left === 3) await until(async () => waiting.length === 2)
    }
    for (const { who, text } of await Promise.all(answers)) expect(text).toBe(`SESSION=${who}`)
  })

  test('have each a stock of their own where the route says so', async () => {
    const origin = await echo({})
    const gateway = await startCaching(origin, '{ fresh: 30s, per: identity }')
    for (const who of ['ann', 'bob', 'ann', 'bob'])
      expect((await ask(`${gateway.url}/c/a`, as(who))).text).toBe(`SESSION=${who}`)
    expect(origin.asked).toHaveLength(2)
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('undefined')
  })

  test('share what says that it is for all (RFC 9111 §3.5)', async () => {
    const origin = await echo({ 'Cache-Control': 'public, max-age=100' })
    const gateway = await startCaching(origin)
    for (const who of ['ann', 'bob']) expect((await ask(`${gateway.url}/c/a`, as(who))).text).toBe('SESSION=ann')
  })

  test('never share what sets a cookie', async () => {
    const origin = await startCounted(counting({ 'Cache-Control': 'public, max-age=100', 'Set-Cookie': 'SESSION=x' }))
    const gateway = await startCaching(origin)
    expect([(await ask(`${gateway.url}/c/a`)).text, (await ask(`${gateway.url}/c/a`)).text]).toEqual([
      'answer 1',
      'answer 2',
    ])
  })
})

describe('what is void', () => {
  test('of one side of a move is the stock of the other, both ways', async () => {
    const [old, candidate] = [await startCounted(counting(fresh)), await startCounted(counting(fresh))]
    const yaml = (stage: string) => `
accessLog: off
sessionCookie: SESSION
upstreams: { old: { url: "${old.url}" }, new: { url: "${candidate.url}" } }
unmatched: old
routes:
  - { name: c, match: { path: /c/* }, move: { to: new, stage: ${stage} }, cache: { status: true } }
`
    const gateway = await startGateway(yaml('legacy'))
    await ask(`${gateway.url}/c/a`)
    await ask(`${gateway.url}/c/a`)
    expect([old.asked.length, candidate.asked.length]).toEqual([1, 0])
    await gateway.rewrite(yaml('live'))
    expect((await ask(`${gateway.url}/c/a`)).fields['cache-status']).toBe('banyan; fwd=uri-miss; stored')
    await ask(`${gateway.url}/c/a`)
    expect([old.asked.length, candidate.asked.length]).toEqual([1, 1])
    await gateway.rewrite(yaml('legacy'))
    expect((await ask(`${gateway.url}/c/a`)).fields['cache-status']).toMatch(/hit/)
  })

  test('is what the old side answers in place of the new one', async () => {
    const [old, candidate] = [await startCounted(counting(fresh)), await startCounted(counting({}, 503))]
    const gateway = await startGateway(`
accessLog: off
sessionCookie: SESSION
upstreams: { old: { url: "${old.url}" }, new: { url: "${candidate.url}" } }
unmatched: old
routes:
  - { name: c, match: { path: /c/* }, move: { to: new, stage: live }, cache: {} }
`)
    for (let i = 1; i < 4; i += 1) expect((await ask(`${gateway.url}/c/a`)).text).toBe(`answer ${i}`)
    expect(await gateway.metric('banyan_cache_keys')).toBe(0)
  })

  test('is no reason to ask the old side, while the new one fails and its stale answer may be given', async () => {
    const stale = { ...fresh, Age: '150', ETag: '"a"' }
    const [old, candidate] = [await startCounted(counting({})), await startCounted(counting(stale))]
    const gateway = await startGateway(`
accessLog: off
sessionCookie: SESSION
upstreams: { old: { url: "${old.url}" }, new: { url: "${candidate.url}" } }
unmatched: old
routes:
  - { name: c, match: { path: /c/* }, move: { to: new, stage: live }, cache: { staleIfError: 10m } }
`)
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('answer 1')
    candidate.answer = counting({}, 503)
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('answer 1')
    expect([candidate.asked.length, old.asked.length]).toEqual([2, 0])
  })

  const writes = '  - { name: w, match: { path: /c/*, methods: [POST, DELETE] }, upstream: origin }'

  test('is what a write has gone to, through another route, and what its answer names (§4.4)', async () => {
    const origin = await startCounted(counting(fresh))
    const gateway = await startCaching(origin, '{}', writes)
    const stocked = ['/c/a', '/c/b', '/c/d', '/c/a?q']
    for (const path of stocked) await ask(gateway.url + path)
    const answer = origin.answer
    origin.answer = (_, response) =>
      response.writeHead(303, { Location: '/c/b', 'Content-Location': 'http://elsewhere.example/c/d' }).end()
    await ask(`${gateway.url}/c/a`, {}, 'POST')
    origin.answer = answer
    const texts = []
    for (const path of stocked) texts.push((await ask(gateway.url + path)).text)
    expect(texts).toEqual(['answer 5', 'answer 6', 'answer 3', 'answer 4'])
  })

  test('is nothing by a write that was refused, and all that one may have changed', async () => {
    const origin = await startCounted(counting(fresh))
    const gateway = await startCaching(origin, '{}', writes)
    await ask(`${gateway.url}/c/a`)
    const answer = origin.answer
    origin.answer = (_, response) => response.writeHead(403).end()
    await ask(`${gateway.url}/c/a`, {}, 'POST')
    origin.answer = answer
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('answer 1')
    origin.answer = (request) => request.socket.destroy()
    await ask(`${gateway.url}/c/a`, {}, 'DELETE')
    origin.answer = answer
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('answer 2')
  })

  test('is what was asked for before the write and comes after it', async () => {
    const { listener, release } = held((response) => response.writeHead(200, fresh).end('before'))
    const origin = await startCounted(listener)
    const gateway = await startCaching(origin, '{}', writes)
    const early = ask(`${gateway.url}/c/a`)
    await until(async () => origin.asked.length === 1)
    origin.answer = counting(fresh)
    await ask(`${gateway.url}/c/a`, {}, 'POST')
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('answer 2')
    release()
    expect((await early).text).toBe('before')
    expect((await ask(`${gateway.url}/c/a`)).text).toBe('answer 2')
  })
})
