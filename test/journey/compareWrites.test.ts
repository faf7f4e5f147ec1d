// Writes that are made twice, and all the candidates that never get one.
import type { RequestListener } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startOrigin } from '../harness/origin.ts'
import { openWire } from '../harness/wire.ts'
import { answer, as, everybody, sessions, skipped, startComparing, startSide } from './comparing.ts'

const withProbe = `${everybody}, writes: { probe: /shadow-safe }`
const post = (body: string | undefined, session = 's', fields: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  ...as(session, fields),
  ...(body !== undefined && { body }),
})

/** A candidate that is asked at /shadow-safe, and does as it likes elsewhere. */
const probed =
  (probe: RequestListener, else_: RequestListener = answer('done')): RequestListener =>
  (request, response) =>
    request.url === '/shadow-safe' ? probe(request, response) : else_(request, response)

const isSafe = answer('', { 'Shadow-Safe': '?1' })

async function startPair(
  candidateDoes: RequestListener,
  declared: Parameters<typeof startComparing>[2] = { compare: withProbe },
) {
  const old = await startSide(answer('done'))
  const candidate = await startSide(candidateDoes)
  return { old, candidate, gateway: await startComparing(old, candidate, declared) }
}

describe('a candidate that has said it suppresses effects', () => {
  test('gets each write of the sample with its body and fields, marked, after one probe', async () => {
    const { old, candidate, gateway } = await startPair(probed(isSafe))
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      await fetch(`${gateway.url}/x/1`, { ...post(`{"m":"${method}"}`), method })
    await fetch(`${gateway.url}/x/2`, { ...post(undefined), method: 'DELETE' })
    expect(await gateway.diff(({ compared }) => compared === 5)).toMatchObject({ same: 5, notCompared: {} })
    const [probe, ...writes] = candidate.asked
    expect(probe).toMatchObject({
      method: 'GET',
      url: '/shadow-safe',
      fields: { shadow: '?1', 'banyan-role': 'probe' },
      body: '',
    })
    expect(probe?.fields).not.toHaveProperty('cookie')
    expect(writes.map(({ method, body }) => `${method} ${body}`)).toEqual([
      ...['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => `${method} {"m":"${method}"}`),
      'DELETE ',
    ])
    expect(writes.every(({ fields }) => fields.shadow === '?1' && fields['banyan-role'] === 'shadow')).toBe(true)
    expect(old.asked.map(({ method, fields }) => `${method} ${fields.shadow ?? 'own'}`)).toEqual(
      ['POST', 'PUT', 'PATCH', 'DELETE', 'DELETE'].map((method) => `${method} own`),
    )
  })

  test('gets a chunked body that came in pieces as one', async () => {
    const { candidate, gateway } = await startPair(probed(isSafe))
    const wire = await openWire(
      gateway.port,
      'POST /x/1 HTTP/1.1\r\nHost: h\r\nCookie: SESSION=s\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    for (const piece of ['3\r\none\r\n', '4\r\n two\r\n', '0\r\nX-Sum: 7\r\n\r\n']) {
      wire.socket.write(piece)
      await fetch(`${gateway.adminUrl}/healthz`)
    }
    await wire.until(/done/)
    wire.socket.destroy()
    await gateway.diff()
    expect(candidate.asked.at(-1)).toMatchObject({ method: 'POST', body: 'one two' })
  })

  test('gets no body beyond 64 KiB, which passes to the old side whole', async () => {
    const { old, candidate, gateway } = await startPair(probed(isSafe))
    for (const [session, bytes] of [
      ['a', 64 * 1024],
      ['b', 64 * 1024 + 1],
      ['c', 5_000_000],
    ] as const)
      await fetch(`${gateway.url}/x/${bytes}`, post('x'.repeat(bytes), session))
    expect(await gateway.diff((view) => view.compared + skipped(view) === 3)).toMatchObject({
      compared: 1,
      notCompared: { requestTooLarge: 2 },
    })
    expect(candidate.asked.filter(({ method }) => method === 'POST').map(({ url }) => url)).toEqual([`/x/${64 * 1024}`])
    expect(old.asked.map(({ body }) => body.length)).toEqual([64 * 1024, 64 * 1024 + 1, 5_000_000])
  })

  test('gets nothing twice of what it did not answer, before it has said so again', async () => {
    let isBroken = false
    const { candidate, gateway } = await startPair(
      probed(isSafe, (request, response) => (isBroken ? request.socket.destroy() : response.end('done'))),
    )
    await fetch(`${gateway.url}/x/1`, post('1'))
    await gateway.diff()
    isBroken = true
    await fetch(`${gateway.url}/x/2`, post('2'))
    await gateway.diff((view) => skipped(view) === 1)
    isBroken = false
    await fetch(`${gateway.url}/x/3`, post('3'))
    await gateway.diff(({ compared }) => compared === 2)
    expect(candidate.asked.map(({ url }) => url)).toEqual(['/shadow-safe', '/x/1', '/x/2', '/shadow-safe', '/x/3'])
  })

  test('is not waited for, and neither is who listens in: a large upload goes at the old side’s pace', async () => {
    const { gateway } = await startPair(
      probed(() => {}),
      { compare: `${withProbe}, timeout: 60s` },
    )
    expect(await (await fetch(`${gateway.url}/x/1`, post('x'.repeat(3_000_000)))).text()).toBe('done')
    expect(await (await fetch(`${gateway.url}/x/2`, post('small'))).text()).toBe('done')
  })
})

describe('no write goes to', () => {
  test.each<[string, RequestListener, string?]>([
    ['says nothing of it', answer('')],
    ['says no', answer('', { 'Shadow-Safe': '?0' })],
    ['says something else', answer('', { 'Shadow-Safe': 'yes' })],
    ['says yes and no', answer('', { 'Shadow-Safe': ['?1', '?0'] })],
    ['says so with a redirect', (_, response) => response.writeHead(302, { Location: '/', 'Shadow-Safe': '?1' }).end()],
    ['says so with an error', (_, response) => response.writeHead(404, { 'Shadow-Safe': '?1' }).end()],
    ['closes', (request) => request.socket.destroy()],
    ['hangs', () => {}, '500ms'],
    [
      'breaks off',
      (_, response) =>
        response.writeHead(200, { 'Shadow-Safe': '?1', 'Content-Length': 9 }).write('x', () => response.destroy()),
    ],
  ])('a candidate that, when probed, %s', async (_says, probe, timeout = '60s') => {
    const { candidate, gateway } = await startPair(probed(probe), { compare: `${withProbe}, timeout: ${timeout}` })
    for (const s of sessions(3)) await fetch(`${gateway.url}/x/1`, post('1', s))
    expect((await gateway.diff((view) => skipped(view) === 3)).notCompared).toEqual({ unproven: 3 })
    await fetch(`${gateway.url}/x/last`, as('s0'))
    await gateway.diff(({ compared }) => compared === 1)
    expect(candidate.asked.filter(({ method }) => method !== 'GET')).toEqual([])
  })

  test('the old side a second time: not for noise, and not in live', async () => {
    const noise = await startPair(probed(isSafe), { compare: `${withProbe}, noise: 100%` })
    await fetch(`${noise.gateway.url}/x/1`, post(undefined))
    await fetch(`${noise.gateway.url}/x/last`, as('s'))
    await noise.old.request(({ url, fields }) => url === '/x/last' && fields['banyan-role'] === 'noise')
    const live = await startPair(probed(isSafe), { move: 'stage: live', compare: `${withProbe}, reverse: 100%` })
    await fetch(`${live.gateway.url}/x/1`, post(undefined))
    await fetch(`${live.gateway.url}/x/last`, as('s'))
    await live.gateway.diff()
    const writesOf = (side: typeof noise.old) => side.asked.filter(({ method }) => method === 'POST')
    expect([writesOf(noise.old).length, writesOf(noise.candidate).length]).toEqual([1, 0])
    expect([writesOf(live.old).length, writesOf(live.candidate).length]).toEqual([0, 1])
    expect(writesOf(live.candidate)[0]?.fields.shadow).toBeUndefined()
  })
})

test('a client that leaves in mid-body takes its leg with it', async () => {
  const { candidate, gateway } = await startPair(probed(isSafe), { compare: `${withProbe}, timeout: 60s` })
  const socket = connect(gateway.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('POST /x/1 HTTP/1.1\r\nHost: h\r\nCookie: SESSION=s\r\nContent-Length: 10\r\n\r\nhalf')
  await gateway.diff(() => true)
  socket.destroy()
  await fetch(`${gateway.url}/x/2`, post('2'))
  await gateway.diff()
  expect(candidate.asked.map(({ url }) => url)).toEqual(['/shadow-safe', '/x/2'])
})

test('an old side that answers before it has read the body leaves the connection usable', async () => {
  const old = await startOrigin((_, response) => response.end('done'))
  onTestFinished(old.close)
  const candidate = await startSide(probed(isSafe))
  const gateway = await startComparing(old, candidate, { compare: withProbe })
  const wire = await openWire(gateway.port)
  for (const at of [1, 2]) {
    const head = `POST /x/${at} HTTP/1.1\r\nHost: h\r\nCookie: SESSION=s\r\nContent-Length: 200000\r\n\r\n`
    wire.socket.write(head + 'x'.repeat(100_000))
    await wire.until(new RegExp(`(done[^]*){${at}}`))
    wire.socket.write('x'.repeat(100_000))
  }
  wire.socket.destroy()
  await gateway.diff((view) => view.compared + skipped(view) === 2)
  expect(candidate.asked).toEqual([])
})
