// Who is asked beside the client's own request, with what, and what never goes there.
import { describe, expect, test } from 'vitest'
import { openWire } from '../harness/wire.ts'
import { answer, as, everybody, sessions, skipped, startComparing, startSide } from './comparing.ts'

const json = { 'Content-Type': 'application/json' }
const roles = (side: { asked: readonly { fields: Record<string, unknown> }[] }) =>
  side.asked.map(({ fields }) => fields['banyan-role'] ?? 'own')

describe('who is asked', () => {
  test('in shadow both sides are, and the client hears the old one', async () => {
    const old = await startSide(answer('{"a":1}', json))
    const candidate = await startSide(answer('{"a":2}', json))
    const gateway = await startComparing(old, candidate)
    const response = await fetch(`${gateway.url}/x/1?q=2`, as('s'))
    expect(await response.text()).toBe('{"a":1}')
    const view = await gateway.diff()
    expect(view).toMatchObject({ compared: 1, same: 0, paths: [{ path: '$.a', kind: 'value', rawRate: 1 }] })
    expect(candidate.asked).toMatchObject([
      { method: 'GET', url: '/x/1?q=2', fields: { shadow: '?1', 'banyan-role': 'shadow' } },
    ])
    expect(roles(old)).toEqual(['own'])
    expect(old.asked[0]?.fields).not.toHaveProperty('shadow')
  })

  test('in legacy and in final only one is', async () => {
    const old = await startSide(answer('old'))
    const candidate = await startSide(answer('new'))
    const gateway = await startComparing(old, candidate, { move: 'stage: legacy' })
    await (await fetch(`${gateway.url}/x/1`, as('s'))).text()
    expect(candidate.asked).toEqual([])
    const compare = `${everybody}, reverse: 100%, noise: 100%`
    const final = await startComparing(old, candidate, { move: 'stage: final', compare })
    await (await fetch(`${final.url}/x/2`, as('s'))).text()
    expect(roles(old)).toEqual(['own'])
    expect(roles(candidate)).toEqual(['own'])
  })

  test('in a canary only those are compared whom the old side answers', async () => {
    const old = await startSide(answer('old'))
    const candidate = await startSide(answer('new'))
    const gateway = await startComparing(old, candidate, { move: 'stage: canary, share: 50%' })
    const heard = await Promise.all(sessions(40).map(async (s) => (await fetch(`${gateway.url}/x/${s}`, as(s))).text()))
    const byOld = heard.filter((who) => who === 'old').length
    expect(byOld).toBeGreaterThan(5)
    expect(byOld).toBeLessThan(35)
    await gateway.diff(({ compared }) => compared === byOld)
    expect(candidate.asked.length).toBe(40)
    expect(old.asked.length).toBe(byOld)
    const legs = candidate.asked.filter(({ fields }) => fields.shadow === '?1').map(({ url }) => url)
    expect(legs.sort()).toEqual(
      sessions(40)
        .flatMap((s, i) => (heard[i] === 'old' ? [`/x/${s}`] : []))
        .sort(),
    )
  })

  test('in live the old side is, for as many as `reverse` says, and it is the candidate that is judged', async () => {
    const old = await startSide(answer('{"a":1}', json))
    const candidate = await startSide(answer('{"a":1,"b":2}', json))
    const gateway = await startComparing(old, candidate, {
      move: 'stage: live',
      compare: `${everybody}, reverse: 100%`,
    })
    expect(await (await fetch(`${gateway.url}/x/1`, as('s'))).text()).toBe('{"a":1,"b":2}')
    const view = await gateway.diff()
    expect(view.paths).toMatchObject([{ path: '$.b', kind: 'extra' }])
    expect(roles(old)).toEqual(['reverse'])
    expect(old.asked[0]?.fields.shadow).toBe('?1')
    expect(roles(candidate)).toEqual(['own'])
  })

  test('in live nobody else is without `reverse`', async () => {
    const old = await startSide(answer('old'))
    const candidate = await startSide(answer('new'))
    const gateway = await startComparing(old, candidate, { move: 'stage: live', compare: `${everybody}, noise: 100%` })
    await (await fetch(`${gateway.url}/x/1`, as('s'))).text()
    expect(old.asked).toEqual([])
  })

  test('for noise the old side is asked twice, and the candidate not', async () => {
    let count = 0
    const old = await startSide((_, response) => response.writeHead(200, json).end(JSON.stringify({ at: count++ })))
    const candidate = await startSide(answer('{}', json))
    const gateway = await startComparing(old, candidate, { compare: `${everybody}, noise: 100%` })
    await (await fetch(`${gateway.url}/x/1`, as('s'))).text()
    const view = await gateway.diff(({ paths }) => paths.length > 0)
    expect(view).toMatchObject({ compared: 0, paths: [{ path: '$.at', samples: { old: 1, candidate: 0 } }] })
    expect(roles(old)).toEqual(['own', 'noise'])
    expect(old.asked[1]?.fields.shadow).toBe('?1')
    expect(candidate.asked).toEqual([])
  })

  test('after a rollback comparison stays on', async () => {
    const old = await startSide(answer('old'))
    const candidate = await startSide(answer('new'))
    const gateway = await startComparing(old, candidate, { move: 'stage: live' })
    const rolledBack = await fetch(`${gateway.adminUrl}/rollouts/x/rollback`, {
      method: 'POST',
      headers: { 'Banyan-Admin': 'test', 'Content-Type': 'application/json' },
      body: '{"acceptLoss":true}',
    })
    expect(rolledBack.status).toBe(200)
    expect(await (await fetch(`${gateway.url}/x/1`, as('s'))).text()).toBe('old')
    await gateway.diff()
    expect(roles(candidate)).toEqual(['shadow'])
  })
})

describe('how many are asked', () => {
  test('a client is in the sample with all of its requests, or with none', async () => {
    const old = await startSide(answer('same'))
    const candidate = await startSide(answer('same'))
    const gateway = await startComparing(old, candidate, { compare: 'sample: 50%, atMost: 100000/s' })
    const ids = sessions(30)
    for (let round = 0; round < 3; round += 1)
      await Promise.all(ids.map(async (s) => (await fetch(`${gateway.url}/x/${s}`, as(s))).text()))
    const counts = () => ids.map((s) => candidate.asked.filter(({ url }) => url === `/x/${s}`).length)
    await gateway.diff(
      (view) => view.compared + skipped(view) >= 3 * new Set(candidate.asked.map(({ url }) => url)).size,
    )
    const sampled = counts().filter((count) => count > 0)
    expect(new Set(sampled)).toEqual(new Set([3]))
    expect(sampled.length).toBeGreaterThan(4)
    expect(sampled.length).toBeLessThan(26)
  })

  test('no more than `atMost`, and what is beyond it is counted', async () => {
    const old = await startSide(answer('same'))
    const candidate = await startSide(answer('same'))
    const gateway = await startComparing(old, candidate, { compare: 'sample: 100%, atMost: 3/h' })
    for (const s of sessions(5)) await (await fetch(`${gateway.url}/x/${s}`, as(s))).text()
    expect(await gateway.diff()).toMatchObject({ compared: 1, notCompared: { rate: 4 } })
    expect(candidate.asked.length).toBe(1)
  })
})

describe('what never goes to the other side', () => {
  test('whatever is no plain GET or HEAD', async () => {
    const old = await startSide(answer('old'))
    const candidate = await startSide(answer('old'))
    const gateway = await startComparing(old, candidate)
    const session = { Cookie: 'SESSION=s' }
    const say = async (init: RequestInit, fields: Record<string, string> = {}) =>
      (await fetch(`${gateway.url}/x/never`, { ...init, headers: { ...session, ...fields } })).text()
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) await say({ method, body: 'x' })
    for (const method of ['POST', 'DELETE', 'OPTIONS']) await say({ method })
    for (const [name, value] of [
      ['If-None-Match', '"a"'],
      ['If-Modified-Since', 'Thu, 01 Jan 1970 00:00:00 GMT'],
      ['If-Match', '"a"'],
      ['If-Unmodified-Since', 'Thu, 01 Jan 1970 00:00:00 GMT'],
      ['Range', 'bytes=0-1'],
    ] as const)
      await say({}, { [name]: value })
    for (const more of ['Content-Length: 1\r\n\r\nx', 'Upgrade: websocket\r\nConnection: upgrade\r\n\r\n']) {
      const wire = await openWire(gateway.port, `GET /x/never HTTP/1.1\r\nHost: h\r\nCookie: SESSION=s\r\n${more}`)
      await wire.until(/old/)
      wire.socket.destroy()
    }
    // Of one client one leg comes after the other: what was to come would have come before this one.
    await fetch(`${gateway.url}/x/last`, { headers: session })
    await fetch(`${gateway.url}/x/last`, { method: 'HEAD', headers: session })
    await gateway.diff(({ compared }) => compared === 2)
    expect(candidate.asked.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /x/last', 'HEAD /x/last'])
    expect(old.asked.length).toBe(16)
  })

  test("stripped fields, those of the hop, and a client's own copies of what marks a leg", async () => {
    const old = await startSide(answer('old'))
    const candidate = await startSide(answer('old'))
    const compare = `${everybody}, strip: [Authorization, x-secret], noise: 50%`
    const gateway = await startComparing(old, candidate, { compare })
    const fields = [
      ...['Shadow: ?0', 'SHADOW: x', 'Banyan-Role: own', 'X-Hop: 1', 'Expect: 100-continue'],
      ...['AUTHORIZATION: Basic c2VjcmV0', 'X-Secret: secret', 'x-secret: secret'],
      'Connection: keep-alive, Shadow, banyan-role, x-hop, cookie',
    ]
    for (const s of sessions(12)) {
      const request = `GET /x/${s} HTTP/1.1\r\nHost: h\r\nCookie: SESSION=${s}\r\n${fields.join('\r\n')}\r\n\r\n`
      const wire = await openWire(gateway.port, request)
      await wire.until(/old/)
      wire.socket.destroy()
    }
    await gateway.diff(() => candidate.asked.length + old.asked.length === 24)
    const linesOf = (raw: readonly string[], name: string) =>
      raw.flatMap((word, i) => (i % 2 === 0 && word.toLowerCase() === name ? [raw[i + 1]] : []))
    for (const { raw } of candidate.asked) {
      expect(linesOf(raw, 'shadow')).toEqual(['?1'])
      expect(linesOf(raw, 'banyan-role')).toEqual(['shadow'])
      for (const name of ['authorization', 'x-secret', 'x-hop', 'expect', 'cookie'])
        expect(linesOf(raw, name)).toEqual([])
    }
    const noise = old.asked.filter(({ fields: { shadow } }) => shadow === '?1')
    for (const { raw } of noise) {
      expect(linesOf(raw, 'banyan-role')).toEqual(['noise'])
      // What the candidate must not see the old side needs: else it would differ from itself.
      expect(linesOf(raw, 'authorization')).toEqual(['Basic c2VjcmV0'])
    }
    expect(noise.length).toBeGreaterThan(0)
    expect(candidate.asked.length).toBeGreaterThan(0)
  })
})

describe("the candidate's cookies", () => {
  test('go with later legs of the same client alone, and never to the client', async () => {
    const old = await startSide(answer('old', { 'Set-Cookie': 'own=1' }))
    const candidate = await startSide((request, response) => {
      const who = /SESSION=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? 'stranger'
      response.writeHead(200, { 'Set-Cookie': [`cart=${who}; Path=/`, 'SESSION=evil; HttpOnly'] }).end('old')
    })
    const gateway = await startComparing(old, candidate)
    for (const s of ['ada', 'bob', 'ada'])
      expect((await fetch(`${gateway.url}/x/${s}`, as(s))).headers.getSetCookie()).toEqual(['own=1'])
    for (const _ of [1, 2]) await (await fetch(`${gateway.url}/x/stranger`)).text()
    const view = await gateway.diff(({ compared }) => compared === 5)
    const sent = candidate.asked.map(({ url, fields }) => `${url} ${fields.cookie ?? 'none'}`)
    expect(sent.sort()).toEqual([
      '/x/ada SESSION=ada',
      '/x/ada SESSION=ada; cart=ada',
      '/x/bob SESSION=bob',
      '/x/stranger none',
      '/x/stranger none',
    ])
    expect(view.loginsDropped).toEqual({ legs: 5, answers: 0 })
  })

  test('stay away where cookies are stripped', async () => {
    const old = await startSide(answer('old'))
    const candidate = await startSide(answer('old', { 'Set-Cookie': 'cart=1' }))
    const gateway = await startComparing(old, candidate, { compare: `${everybody}, strip: [cookie]` })
    for (const _ of [1, 2]) await (await fetch(`${gateway.url}/x/1`, as('ada'))).text()
    await gateway.diff(({ compared }) => compared === 2)
    expect(candidate.asked.map(({ fields }) => fields.cookie)).toEqual([undefined, undefined])
  })

  test.each([
    ['mayLogin: false', ['cart=1'], 1],
    ['mayLogin: true', ['SESSION=new', 'cart=1'], 0],
  ])('may log a client in only where the file says so: %s', async (mayLogin, expected, dropped) => {
    const old = await startSide(answer('old'))
    const candidate = await startSide(answer('new', { 'Set-Cookie': ['SESSION=new', 'cart=1'] }))
    const gateway = await startComparing(old, candidate, { move: `stage: live, ${mayLogin}` })
    expect((await fetch(`${gateway.url}/x/1`, as('ada'))).headers.getSetCookie()).toEqual(expected)
    expect((await gateway.diff(() => true)).loginsDropped).toEqual({ legs: 0, answers: dropped })
  })
})
