// What is asked of the monolith in place of a dead service waits behind the monolith's own routes, and is dropped first.
import type { ServerResponse } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { type Origin, startOrigin, startRawOrigin } from '../harness/origin.ts'
import { tell } from './faults.ts'
import { startBetween } from './sides.ts'

const keep = (origin: Origin) => onTestFinished(() => origin.close())

/** A monolith with one connection, which answers one request after another when it is told to. */
async function startSlow() {
  const asked: { readonly url: string; readonly response: ServerResponse }[] = []
  let told = () => {}
  const origin = await startOrigin((request, response) => {
    asked.push({ url: request.url ?? '', response })
    told()
  })
  keep(origin)
  return {
    ...origin,
    asked,
    async answer(nth: number) {
      while (asked.length <= nth) {
        await new Promise<void>((resolve) => {
          told = resolve
        })
      }
      asked[nth]?.response.end('ok')
    },
  }
}

function yaml(old: string, candidate: string, move: string): string {
  return `
paths: { case: exact }
sessionCookie: SESSION
upstreams: { old: { url: "${old}", maxConnections: 1, connect: 20s }, new: { url: "${candidate}" } }
unmatched: old
routes:
  - { name: moved, match: { path: /moved, methods: [GET] }, move: { to: new, ${move} } }
`
}

/** The moved route's requests first, then the monolith's own, while one holds the only connection. */
async function orderOf(port: number, monolith: Awaited<ReturnType<typeof startSlow>>, waiting: () => Promise<void>) {
  const first = tell(port, 'GET', '/own/0')
  while (monolith.asked.length === 0) await new Promise<void>((resolve) => setImmediate(resolve))
  const moved = [tell(port, 'GET', '/moved'), tell(port, 'GET', '/moved')]
  await waiting()
  const own = [tell(port, 'GET', '/own/1'), tell(port, 'GET', '/own/2')]
  return { first, moved, own }
}

test.each(['fallback', 'rollback'])('after a %s', async (why) => {
  const monolith = await startSlow()
  const dead = await startRawOrigin(() => {})
  await dead.close()
  const gateway = await startBetween(yaml(monolith.url, dead.url, 'stage: live'))
  if (why === 'rollback') {
    const headers = { 'Content-Type': 'application/json', 'Banyan-Admin': '1' }
    const order = { method: 'POST', headers, body: '{}' }
    const answer = await fetch(`${gateway.adminUrl}/rollouts/moved/rollback`, order)
    expect(answer.status).toBe(200)
  }
  const inFlight = async (count: number) => {
    for (let look = 0; look < 2_000; look += 1)
      if ((await gateway.metric('banyan_requests_in_flight')) === count) return
    throw new Error('they never came')
  }
  const { first, moved, own } = await orderOf(gateway.port, monolith, () => inFlight(3))
  await inFlight(5)
  for (let nth = 0; nth < 5; nth += 1) await monolith.answer(nth)
  expect(await Promise.all([first, ...moved, ...own])).toEqual(Array(5).fill('200 ok'))
  expect(
    monolith.asked
      .slice(1, 3)
      .map(({ url }) => url)
      .sort(),
  ).toEqual(['/own/1', '/own/2'])
  expect(monolith.asked.slice(3).map(({ url }) => url)).toEqual(['/moved', '/moved'])
})
