// A route's deadline covers all that is done for an answer, up to its head. Those here leave two seconds to what must happen before.
import type { Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type Origin, startRawOrigin } from '../harness/origin.ts'
import { openWire } from '../harness/wire.ts'
import { faults, startBook, startFaulty, tell, told } from './faults.ts'
import { startBetween } from './sides.ts'

const open: Origin[] = []
afterEach(async () => {
  for (const origin of open.splice(0)) await origin.close()
})

async function upstreamThat(act: (socket: Socket) => void) {
  const origin = await startFaulty(act, () => 0)
  open.push(origin)
  return origin
}

const yamlTo = (url: string, route: string) => `
paths: { case: exact }
upstreams: { only: { url: "${url}" } }
unmatched: only
routes: [{ name: all, match: { path: /x }, upstream: only, ${route} }]
`

test('an upstream that does not answer in time is cut, to blame, and asked no more', async () => {
  const upstream = await upstreamThat(faults.hang)
  const gateway = await startBetween(yamlTo(upstream.url, 'deadline: 2s, retry: { on: [upstreamFirstByteTimeout] }'))
  expect(await tell(gateway.port, 'GET', '/x')).toBe('504 deadlinePassed')
  expect(upstream.heads).toHaveLength(1)
  const blamed = 'banyan_upstream_attempts_total{upstream="only",role="primary",blame="upstream",code="deadlinePassed"}'
  expect(await gateway.metric(blamed)).toBe(1)
  const line = await gateway.line(({ failure }) => failure === 'deadlinePassed')
  expect(Number(line.durationMs)).toBeGreaterThanOrEqual(1_990)
})

test('what is left of it is what the next attempt gets', async () => {
  const old = await upstreamThat(faults.hang)
  const candidate = await upstreamThat(faults.hang)
  const gateway = await startBetween(`
paths: { case: exact }
upstreams: { old: { url: "${old.url}" }, new: { url: "${candidate.url}", firstByte: 1s } }
unmatched: old
routes: [{ name: all, match: { path: /x, methods: [GET] }, deadline: 4s, move: { to: new, stage: live } }]
`)
  expect(await tell(gateway.port, 'GET', '/x')).toBe('504 deadlinePassed')
  expect([candidate.heads.length, old.heads.length]).toEqual([1, 1])
  const line = await gateway.line(({ failure }) => failure === 'deadlinePassed')
  expect(line).toMatchObject({ upstream: 'old', fallback: 'upstreamFirstByteTimeout' })
})

test('once it has passed there is no fallback', async () => {
  const old = await startBook('old')
  open.push(old)
  const candidate = await upstreamThat(faults.hang)
  const gateway = await startBetween(`
paths: { case: exact }
upstreams: { old: { url: "${old.url}" }, new: { url: "${candidate.url}" } }
unmatched: old
routes: [{ name: all, match: { path: /x, methods: [GET] }, deadline: 200ms, move: { to: new, stage: live } }]
`)
  expect(await tell(gateway.port, 'GET', '/x')).toBe('504 deadlinePassed')
  expect(old.entries).toEqual([])
})

test('nor for one that has waited for a place until then', async () => {
  const old = await startBook('old')
  open.push(old)
  const candidate = await upstreamThat(faults.hang)
  const gateway = await startBetween(`
paths: { case: exact }
upstreams: { old: { url: "${old.url}" }, new: { url: "${candidate.url}", maxConnections: 1, connect: 20s } }
unmatched: old
routes:
  - { name: slow, match: { path: /slow }, upstream: new }
  - { name: all, match: { path: /x, methods: [POST] }, deadline: 200ms, move: { to: new, stage: live } }
`)
  const slow = await openWire(gateway.port, 'GET /slow HTTP/1.1\r\nHost: h\r\n\r\n')
  await candidate.first
  expect(await tell(gateway.port, 'POST', '/x', 'body')).toBe('504 deadlinePassed')
  const blamed = 'banyan_upstream_attempts_total{upstream="new",role="primary",blame="gateway",code="deadlinePassed"}'
  expect(await gateway.metric(blamed)).toBe(1)
  expect(old.entries).toEqual([])
  slow.socket.destroy()
})

test('an answer whose head has come is not cut', async () => {
  const begun = Promise.withResolvers<Socket>()
  const upstream = await upstreamThat((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf', () => begun.resolve(socket))
  })
  const hanging = await upstreamThat(faults.hang)
  const gateway = await startBetween(`
paths: { case: exact }
upstreams: { only: { url: "${upstream.url}" }, hanging: { url: "${hanging.url}" } }
unmatched: only
routes:
  - { name: all, match: { path: /x }, upstream: only, deadline: 2s }
  - { name: later, match: { path: /later }, upstream: hanging, deadline: 2s }
`)
  const wire = await openWire(gateway.port, 'GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
  await wire.until(/half/)
  // One that came after it has been cut by now.
  expect(await tell(gateway.port, 'GET', '/later')).toBe('504 deadlinePassed')
  ;(await begun.promise).write('done')
  expect(told((await wire.closed()).received)).toBe('200 halfdone')
})

test('a client that is still sending when it passes has itself to blame', async () => {
  const upstream = await startRawOrigin((socket) => void socket.resume())
  open.push(upstream)
  const gateway = await startBetween(yamlTo(upstream.url, 'deadline: 2s'))
  const wire = await openWire(gateway.port, 'POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf')
  expect(told((await wire.closed()).received)).toBe('408 requestTimeout')
})
