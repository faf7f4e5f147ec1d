// An upstream with `concurrency: adaptive` is given what it takes; the others wait, and whoever finds no place is told at once.
import { expect, test } from 'vitest'
import { startNodes } from './nodes.ts'
import { startBetween } from './sides.ts'

/** Holds each answer back until it is told to. */
async function startHolding() {
  const held: (() => void)[] = []
  let come = () => {}
  const nodes = await startNodes(1, () => (_, response) => {
    held.push(() => response.end('late'))
    come()
  })
  return {
    url: nodes[0]?.url,
    held,
    async has(count: number) {
      while (held.length < count) await new Promise<void>((resolve) => (come = resolve))
    },
  }
}

test('before anything is known ten are under way at most, so many wait as may, and the next is refused', async () => {
  const slow = await startHolding()
  const limits = 'concurrency: adaptive, maxPending: 2, connect: 5m, firstByte: 5m'
  const gateway = await startBetween(`
paths: { case: exact }
upstreams: { slow: { url: "${slow.url}", ${limits} } }
unmatched: slow
`)
  const most = 'banyan_upstream_concurrency_most{upstream="slow"}'
  expect(await gateway.metric(most)).toBe(10)
  const asked = Array.from({ length: 13 }, () => fetch(gateway.url))
  const refused = await Promise.race(asked)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await refused.json()).toMatchObject({ code: 'upstreamBusy' })
  await slow.has(10)
  expect(slow.held).toHaveLength(10)
  const status = (await (await fetch(`${gateway.adminUrl}/status`)).json()) as { upstreams: object[] }
  expect(status.upstreams[0]).toMatchObject({
    connections: { open: 10, waiting: 2 },
    watch: { concurrency: { most: 10 } },
  })
  for (const answer of slow.held.splice(0)) answer()
  await slow.has(2)
  for (const answer of slow.held) answer()
  const statuses = await Promise.all(asked.map(async (one) => (await one).status))
  expect(statuses.sort()).toEqual([...Array(12).fill(200), 503])
})

test('a client that leaves while it waits leaves its place to another', async () => {
  const slow = await startHolding()
  const gateway = await startBetween(`
paths: { case: exact }
upstreams: { slow: { url: "${slow.url}", concurrency: adaptive, maxConnections: 1, connect: 5m } }
unmatched: slow
`)
  const first = fetch(gateway.url)
  await slow.has(1)
  const leaving = new AbortController()
  const second = fetch(gateway.url, { signal: leaving.signal, headers: { 'X-Request-Id': 'second' } })
  const third = fetch(gateway.url)
  leaving.abort()
  await expect(second).rejects.toThrow()
  slow.held[0]?.()
  await slow.has(2)
  slow.held[1]?.()
  expect([(await first).status, (await third).status]).toEqual([200, 200])
  expect(slow.held).toHaveLength(2)
})

test('what it takes is remembered through a reload', async () => {
  const nodes = await startNodes(1)
  const yaml = (rest: string) => `
paths: { case: exact }
upstreams: { old: { url: "${nodes[0]?.url}", concurrency: adaptive } }
unmatched: old
${rest}`
  const gateway = await startBetween(yaml(''))
  for (let i = 0; i < 50; i++) await (await fetch(gateway.url)).text()
  const most = 'banyan_upstream_concurrency_most{upstream="old"}'
  expect(await gateway.metric(most)).toBe(20)
  expect(await gateway.metric('banyan_upstream_calm_seconds{upstream="old"}')).toBeGreaterThan(0)
  await gateway.rewrite(yaml('# a word'))
  expect(await gateway.metric(most)).toBe(20)
  await gateway.rewrite(yaml('').replace(', concurrency: adaptive', ''))
  expect(await gateway.metric(most)).toBe(0)
})
