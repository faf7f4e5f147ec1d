// A request is sent to the same upstream again where the file asks for it and nothing runs twice.
import type { Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { type Origin, startRawOrigin } from '../harness/origin.ts'
import { faults, startBook, startFaulty, tell } from './faults.ts'
import { startBetween } from './sides.ts'

const open: Origin[] = []
afterEach(async () => {
  for (const origin of open.splice(0)) await origin.close()
})

const ok = (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
const wholeBody = (head: string) => Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)

/** Acts so at one request after another; the last one goes on for ever. */
async function upstreamThat(...acts: ((socket: Socket) => void)[]) {
  let nth = 0
  const origin = await startFaulty((socket) => {
    const act = acts[Math.min(nth, acts.length - 1)] as (socket: Socket) => void
    nth += 1
    act(socket)
  }, wholeBody)
  open.push(origin)
  return origin
}

function yamlTo(url: string, retry: string): string {
  return `
paths: { case: exact }
upstreams: { only: { url: "${url}", firstByte: 30s } }
unmatched: only
routes: [{ name: all, match: { path: /x }, upstream: only${retry} }]
`
}

test.each(['', ', retry: {}'])('an upstream that always says 503 is hit once for each request (%s)', async (retry) => {
  const upstream = await upstreamThat(faults[503])
  const gateway = await startBetween(yamlTo(upstream.url, retry))
  for (const method of ['GET', 'PUT', 'POST']) expect(await tell(gateway.port, method, '/x', 'b')).toBe('503 busy')
  expect(upstream.heads).toHaveLength(3)
})

test('without a word nothing is asked twice', async () => {
  const upstream = await upstreamThat(faults.reset, ok)
  const gateway = await startBetween(yamlTo(upstream.url, ''))
  expect(await tell(gateway.port, 'GET', '/x')).toBe('502 upstreamReset')
  expect(upstream.heads).toHaveLength(1)
})

describe('with retry', () => {
  test.each([
    ['GET', '200 ok', 2],
    ['HEAD', '200 ', 2],
    ['PUT', '200 ok', 2],
    ['DELETE', '200 ok', 2],
    ['POST', '502 upstreamReset', 1],
    ['PATCH', '502 upstreamReset', 1],
  ])('after a reset %s is answered %s, with %i hits', async (method, answer, hits) => {
    const upstream = await upstreamThat(faults.reset, (socket) =>
      method === 'HEAD' ? socket.write('HTTP/1.1 200 OK\r\n\r\n') : ok(socket),
    )
    const gateway = await startBetween(yamlTo(upstream.url, ', retry: {}'))
    expect(await tell(gateway.port, method, '/x', method === 'GET' || method === 'HEAD' ? '' : 'body')).toBe(answer)
    expect(upstream.heads).toHaveLength(hits)
  })

  test('what provably never left is sent again whatever its method', async () => {
    const upstream = await startRawOrigin(() => {})
    await upstream.close()
    const gateway = await startBetween(yamlTo(upstream.url, ', retry: { attempts: 3 }'))
    expect(await tell(gateway.port, 'POST', '/x', 'body')).toBe('502 upstreamRefused')
    const refused = (role: string) =>
      `banyan_upstream_attempts_total{upstream="only",role="${role}",blame="upstream",code="upstreamRefused"}`
    expect([await gateway.metric(refused('primary')), await gateway.metric(refused('retry'))]).toEqual([1, 3])
  })

  test('a listed status is worth another try, and the last answer is the client’s', async () => {
    const upstream = await upstreamThat(faults[503])
    const gateway = await startBetween(yamlTo(upstream.url, ', retry: { attempts: 2, on: [503] }'))
    expect(await tell(gateway.port, 'GET', '/x')).toBe('503 busy')
    expect(await tell(gateway.port, 'POST', '/x', 'body')).toBe('503 busy')
    expect(upstream.heads).toHaveLength(4)
  })

  test('an outage is not multiplied: of forty requests at a time few are asked twice', async () => {
    const waiting: Socket[] = []
    let isOutage = false
    const upstream = await upstreamThat((socket) => {
      if (!isOutage) waiting.push(socket)
      isOutage ||= waiting.length === 40
      // From now on every one fails at once, those that have waited first.
      if (isOutage) for (const held of [...waiting.splice(0), socket]) faults.reset(held)
    })
    const gateway = await startBetween(yamlTo(upstream.url, ', retry: {}'))
    const answers = await Promise.all(Array.from({ length: 40 }, () => tell(gateway.port, 'GET', '/x')))
    expect(answers).toEqual(Array(40).fill('502 upstreamReset'))
    // A fifth of forty at a time; those that have their place a second time leave it to others.
    expect(upstream.heads.length).toBeGreaterThan(40)
    expect(upstream.heads.length).toBeLessThan(65)
  })

  test('what may have run at the new side does not go to the old one because the second try was refused', async () => {
    const old = await startBook('old')
    open.push(old)
    const upstream = await startFaulty((socket) => {
      void upstream.close()
      faults.reset(socket)
    }, wholeBody)
    const gateway = await startBetween(`
paths: { case: exact }
upstreams: { old: { url: "${old.url}" }, new: { url: "${upstream.url}" } }
unmatched: old
routes: [{ name: all, match: { path: /x }, retry: {}, move: { to: new, stage: live, writesSurviveRollback: true } }]
`)
    expect(await tell(gateway.port, 'PUT', '/x', 'body')).toBe('502 upstreamRefused')
    expect(old.entries).toEqual([])
    const roles = (role: string, code: string) =>
      `banyan_upstream_attempts_total{upstream="new",role="${role}",blame="upstream",code="${code}"}`
    expect(await gateway.metric(roles('primary', 'upstreamReset'))).toBe(1)
    expect(await gateway.metric(roles('retry', 'upstreamRefused'))).toBe(1)
  })
})
