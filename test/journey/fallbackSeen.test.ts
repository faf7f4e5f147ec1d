// What fallback leaves alone, and what is seen of it: by the guard, the log, the metrics, and by what lies around it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startRawOrigin } from '../harness/origin.ts'
import { openWire } from '../harness/wire.ts'
import { until } from '../state/store/stores.ts'
import { faults, startBook, startFaulty, tell, told } from './faults.ts'
import { ask, session, startBetween } from './sides.ts'

let old: Awaited<ReturnType<typeof startBook>>
let candidate: Awaited<ReturnType<typeof startFaulty>>
let act: keyof typeof faults = 503

beforeAll(async () => {
  old = await startBook('old')
  candidate = await startFaulty(
    (socket) => faults[act](socket),
    () => 0,
  )
})
afterAll(() => Promise.all([old.close(), candidate.close()]))
beforeEach(() => {
  act = 503
  old.entries.splice(0)
  candidate.heads.splice(0)
})

const patient = 'failuresInARow: 10000, minRequests: 1000000'

function yaml(move = 'stage: live', { more = '', guard = patient, newUrl = candidate.url } = {}): string {
  return `
paths: { case: exact }
sessionCookie: SESSION
upstreams: { old: { url: "${old.url}" }, new: { url: "${newUrl}", firstByte: 2s } }
unmatched: old
routes:
  - name: moved
    match: { path: /x, methods: [GET, POST] }
    move: { to: new, writesSurviveRollback: true, guard: { ${guard} }, ${move} }${more}
`
}

const attempts = (upstream: string, role: string, blame = '', code = '') =>
  `banyan_upstream_attempts_total{upstream="${upstream}",role="${role}",blame="${blame}",code="${code}"}`

describe('an answer in place of another', () => {
  test('says so in the log, and both attempts and the reason are counted', async () => {
    const gateway = await startBetween(yaml())
    expect(await tell(gateway.port, 'GET', '/x')).toBe('200 old')
    act = 'reset'
    expect(await tell(gateway.port, 'GET', '/x')).toBe('200 old')
    const line = await gateway.line(({ fallback }) => fallback === 'upstreamReset')
    expect(line).toMatchObject({ route: 'moved', upstream: 'old', side: 'old', by: 'upstream', status: 200 })
    await gateway.line(({ fallback }) => fallback === '503')
    expect(await gateway.metric('banyan_fallbacks_total{route="moved",reason="503"}')).toBe(1)
    expect(await gateway.metric('banyan_fallbacks_total{route="moved",reason="upstreamReset"}')).toBe(1)
    expect(await gateway.metric(attempts('new', 'primary'))).toBe(1)
    expect(await gateway.metric(attempts('new', 'primary', 'upstream', 'upstreamReset'))).toBe(1)
    expect(await gateway.metric(attempts('old', 'fallback'))).toBe(2)
  })

  test('that fails too is the old side’s failure, and says why it was asked', async () => {
    const gone = await startRawOrigin(() => {})
    await gone.close()
    const gateway = await startBetween(yaml().replace(old.url, gone.url))
    expect(await tell(gateway.port, 'GET', '/x')).toBe('502 upstreamRefused')
    const line = await gateway.line(({ failure }) => failure === 'upstreamRefused')
    expect(line).toMatchObject({ upstream: 'old', fallback: '503', by: 'gateway' })
    expect(await gateway.metric('banyan_fallbacks_total{route="moved",reason="503"}')).toBe(1)
  })

  test('may log its client in: it is the old side’s to say', async () => {
    const setting = await startFaulty(
      (socket) => socket.write('HTTP/1.1 200 OK\r\nSet-Cookie: SESSION=mine\r\nContent-Length: 2\r\n\r\nok'),
      () => 0,
    )
    const gateway = await startBetween(yaml().replace(old.url, setting.url))
    expect((await ask(gateway, '/x')).cookies).toEqual(['SESSION=mine'])
    await setting.close()
  })

  test('is compared with nothing: it is the old side’s own', async () => {
    const gateway = await startBetween(yaml('stage: live, compare: { sample: 0%, reverse: 100% }'))
    for (let asked = 0; asked < 5; asked += 1)
      expect((await ask(gateway, '/x', { fields: session('anna') })).side).toBe('old')
    expect(old.entries).toHaveLength(5)
    expect(await gateway.metric(attempts('old', 'shadow'))).toBe(0)
  })

  test('comes at once where a breaker is open, whatever the method: the new side is not asked', async () => {
    const breaker = 'breaker: { errorShare: 50%, minRequests: 5, window: 10s, open: 1m }'
    // Where writes do not survive a rollback the guard only pauses: it would take an open breaker for reason enough to go back.
    const paused = yaml().replace('writesSurviveRollback: true, ', '')
    const gateway = await startBetween(paused.replace('firstByte: 2s', `firstByte: 2s, ${breaker}`))
    for (let asked = 0; asked < 5; asked += 1) expect(await tell(gateway.port, 'GET', '/x')).toBe('200 old')
    expect(await tell(gateway.port, 'POST', '/x', 'body')).toBe('200 old')
    expect(candidate.heads).toHaveLength(5)
    expect(await gateway.line(({ method }) => method === 'POST')).toMatchObject({ fallback: 'upstreamOpen' })
  })

  test('hides nothing from the guard: clients see only good answers, and the move goes back', async () => {
    const gateway = await startBetween(yaml('stage: live', { guard: 'failuresInARow: 5' }))
    for (let asked = 0; asked < 8; asked += 1) expect(await tell(gateway.port, 'GET', '/x')).toBe('200 old')
    await until(async () => (await gateway.metric('banyan_rollout_stage{rollout="moved"}')) === 0)
    const heads = candidate.heads.length
    expect(await tell(gateway.port, 'GET', '/x')).toBe('200 old')
    expect(candidate.heads.length).toBe(heads)
  })
})

describe('nobody falls back', () => {
  test('who has left: the old side is not asked', async () => {
    act = 'hang'
    const gateway = await startBetween(yaml())
    const wire = await openWire(gateway.port, 'GET /x HTTP/1.1\r\nHost: h\r\n\r\n')
    await candidate.first
    wire.socket.destroy()
    await gateway.line(({ failure }) => failure === 'clientGone')
    expect(old.entries).toEqual([])
  })

  test('in final, where there is no way back', async () => {
    const gateway = await startBetween(yaml('stage: final'))
    expect(await tell(gateway.port, 'GET', '/x')).toBe('503 busy')
    expect(old.entries).toEqual([])
  })

  test('to the new side, when the old one fails', async () => {
    const gateway = await startBetween(yaml('stage: live, from: new').replace('to: new', 'to: old'))
    expect(await tell(gateway.port, 'GET', '/x')).toBe('200 old')
    const legacy = await startBetween(yaml('stage: legacy, from: new').replace('to: new', 'to: old'))
    expect(await tell(legacy.port, 'GET', '/x')).toBe('503 busy')
  })

  test('who is only asked to be compared: a leg that fails is a mismatch, not the old side’s own answer', async () => {
    const gateway = await startBetween(yaml('stage: shadow, compare: { sample: 100% }'))
    await ask(gateway, '/x', { fields: session('anna') })
    const counted = 'banyan_upstream_attempts_total{upstream="new",role="shadow",blame="",code=""}'
    await until(async () => (await gateway.metric(counted)) > 0)
    expect(await gateway.metric(counted)).toBe(1)
    expect(old.entries).toHaveLength(1)
    expect(await gateway.metric(attempts('old', 'fallback'))).toBe(0)
  })

  test('after a handshake; before it, the old side takes it', async () => {
    const upgrade = 'GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n'
    const switching = await startRawOrigin((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n', () =>
          socket.destroy(),
        ),
      )
    })
    const open = await startBetween(yaml('stage: live', { newUrl: switching.url }))
    const one = await openWire(open.port, upgrade)
    expect((await one.closed()).received).toMatch(/^HTTP\/1\.1 101 [\s\S]*echo\r\n\r\n$/)
    expect(old.entries).toEqual([])
    await switching.close()
    const refused = await startBetween(yaml('stage: live', { newUrl: switching.url }))
    const two = await openWire(refused.port, upgrade)
    expect(told((await two.closed()).received)).toBe('200 old')
  })
})
