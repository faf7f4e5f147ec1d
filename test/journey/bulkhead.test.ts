// An upstream that hangs has its own connections and its own queue, and whoever finds both full is told at once.
import { expect, onTestFinished, test } from 'vitest'
import { startOrigin } from '../harness/origin.ts'
import { startBetween } from './sides.ts'

/** Hangs until it is told to answer; resolves once so many requests have come. */
async function startStuck() {
  const held: (() => void)[] = []
  let come = () => {}
  const origin = await startOrigin((_, response) => {
    held.push(() => response.end('late'))
    come()
  })
  onTestFinished(() => origin.close())
  return {
    url: origin.url,
    held,
    async has(count: number) {
      while (held.length < count) await new Promise<void>((resolve) => (come = resolve))
    },
  }
}

async function startWell() {
  const origin = await startOrigin((_, response) => response.end('well'))
  onTestFinished(() => origin.close())
  return origin.url
}

const yamlOf = (stuck: string, well: string, limits: string) => `
paths: { case: exact }
upstreams: { well: { url: "${well}" }, stuck: { url: "${stuck}", connect: 30s, ${limits} } }
unmatched: well
routes: [{ name: stuck, match: { path: "/stuck/*" }, upstream: stuck }]
`

test('a stuck upstream takes no more than it may have; its next client is told at once, and everybody else is answered', async () => {
  const stuck = await startStuck()
  const gateway = await startBetween(yamlOf(stuck.url, await startWell(), 'maxConnections: 2, maxPending: 1'))
  const late = [fetch(`${gateway.url}/stuck/1`), fetch(`${gateway.url}/stuck/2`)]
  await stuck.has(2)
  const [third, fourth] = [fetch(`${gateway.url}/stuck/3`), fetch(`${gateway.url}/stuck/4`)]
  // One of the two waits; the other is not kept waiting for that.
  const refused = await Promise.race([third, fourth])
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await refused.json()).toMatchObject({ code: 'upstreamBusy', title: 'The service is busy.' })
  const others = await Promise.all(Array.from({ length: 20 }, () => fetch(gateway.url)))
  expect(await Promise.all(others.map((answer) => answer.text()))).toEqual(Array(20).fill('well'))
  expect(stuck.held).toHaveLength(2)
  for (const answer of stuck.held) answer()
  await stuck.has(3)
  stuck.held[2]?.()
  const statuses = await Promise.all([...late, third, fourth].map(async (asked) => (await asked).status))
  expect(statuses.sort()).toEqual([200, 200, 200, 503])
  const busy = 'banyan_upstream_attempts_total{upstream="stuck",role="primary",blame="gateway",code="upstreamBusy"}'
  expect(await gateway.metric(busy)).toBe(1)
})
