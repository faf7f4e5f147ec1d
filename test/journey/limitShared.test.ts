// One budget and many who want all of it: two hundred clients at a time, three gateways, and a store that is not always there.
import { Agent, request as httpRequest } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import type { TestGateway } from '../harness/gateway.ts'
import { startOrigin } from '../harness/origin.ts'
import { startRedis } from '../redis/server.ts'
import { until } from '../state/store/stores.ts'
import { startBetween } from './sides.ts'

const [budget, reserve] = [60_000, 1_000]

interface Tokens {
  readonly url: string
  /** What the answers have cost. */
  used(): number
}

/** An upstream whose answers cost 1 to 1000 tokens, and say so in a field, a trailer, or not at all (then they cost 1000). */
async function startTokens(): Promise<Tokens> {
  let used = 0
  let asked = 0
  const origin = await startOrigin((_, response) => {
    asked += 1
    const cost = asked % 3 === 0 ? reserve : 1 + ((asked * 7919) % reserve)
    used += cost
    const kind = asked % 3
    if (kind === 1) response.setHeader('X-Tokens-Used', cost)
    if (kind === 2) response.setHeader('Trailer', 'X-Tokens-Used')
    response.write('a word ')
    setImmediate(() => {
      if (kind === 2) response.addTrailers({ 'X-Tokens-Used': String(cost) })
      response.end('and another')
    })
  })
  onTestFinished(() => origin.close())
  return { url: origin.url, used: () => used }
}

function ask(url: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { agent }, (response) => {
      response.once('end', () => resolve(response.statusCode ?? 0)).once('error', reject)
      response.resume()
    })
      .once('error', reject)
      .end()
  })
}

/** So many clients at a time, each asking one gateway after another, so often. @returns the statuses */
async function crowd(urls: readonly string[], clients: number, each: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true })
  const one = async (client: number) => {
    const statuses = []
    for (let i = 0; i < each; i++) statuses.push(await ask(urls[(client + i) % urls.length] as string, agent))
    return statuses
  }
  try {
    return (await Promise.all(Array.from({ length: clients }, (_, client) => one(client)))).flat()
  } finally {
    // Who asks until something comes about would run out of files.
    agent.destroy()
  }
}

const yamlOf = (url: string, limit: string, more = '') => `
accessLog: off
paths: { case: exact }
upstreams: { only: { url: "${url}" } }
unmatched: only
${more}
routes:
  - { name: limited, match: { path: /* }, upstream: only, limit: ${limit} }
`

test.each([
  ['in memory', 1],
  ['in a Redis that two gateways share', 2],
])('two hundred clients with one budget of tokens %s never use more than it', async (_, gateways) => {
  const tokens = await startTokens()
  const redis = gateways > 1 ? await startRedis() : undefined
  if (redis) onTestFinished(redis.stop)
  const store = redis ? `store: { state: "${redis.url}" }\nreplicas: ${gateways}` : ''
  const limit = `{ quota: ${budget}/d, per: route, cost: { field: x-tokens-used, reserve: ${reserve} }, onStoreLoss: closed }`
  const all: TestGateway[] = []
  for (let i = 0; i < gateways; i++) all.push(await startBetween(yamlOf(tokens.url, limit, store)))
  const urls = all.map(({ url }) => url)
  // A Redis that a busy machine made late may not have heard what was not used: then that stands as it was reserved.
  const wasLate = async () =>
    (await Promise.all(all.map((gateway) => gateway.log()))).flat().some((line) => line.store === 'down')
  const statuses = await crowd(urls, 200, 4)
  expect(tokens.used()).toBeLessThanOrEqual(budget + reserve)
  expect(statuses.every((status) => status === 200 || status === 429 || status === 503)).toBe(true)
  // What was reserved and not used is to be had again, so that in the end nearly all of it is used.
  await until(async () => {
    await crowd(urls, 1, 1)
    return tokens.used() > budget - reserve || (await wasLate())
  })
  await crowd(urls, 50, 2)
  expect(tokens.used()).toBeLessThanOrEqual(budget + reserve)
})

test('three gateways without a store stay within the limit together', async () => {
  const tokens = await startTokens()
  const urls: string[] = []
  for (let i = 0; i < 3; i++) {
    const gateway = await startBetween(yamlOf(tokens.url, '{ quota: 300/d, rate: 300/h, per: address }', 'replicas: 3'))
    urls.push(gateway.url)
  }
  const startedAt = performance.now()
  const statuses = await crowd(urls, 30, 30)
  const allowed = statuses.filter((status) => status === 200).length
  expect(allowed).toBe(300)
  expect(performance.now() - startedAt).toBeLessThan(3_600_000)
})

test('a store that is frozen, killed and started again fails no request, and is waited for once', async () => {
  const tokens = await startTokens()
  const redis = await startRedis()
  onTestFinished(redis.stop)
  const gateway = await startBetween(
    yamlOf(tokens.url, '{ rate: 1000000/s, per: address }', `store: { state: "${redis.url}" }`),
  )
  const lost = () => gateway.metric('banyan_limit_without_store_total{route="limited"}')
  const up = () => gateway.metric('banyan_store_up')
  const fine = async (count: number) =>
    expect((await crowd([gateway.url], 20, count / 20)).filter((status) => status !== 200)).toEqual([])
  await fine(500)
  const before = await lost()
  redis.freeze()
  // Each waits a tenth of a second for it, or these would take 100 seconds.
  const startedAt = performance.now()
  await fine(1_000)
  expect(performance.now() - startedAt).toBeLessThan(50_000)
  expect((await lost()) - before).toBe(1_000)
  redis.thaw()
  await until(async () => (await up()) === 1)
  await fine(500)
  await redis.kill()
  await fine(1_000)
  await redis.restart()
  await until(async () => (await up()) === 1)
  await until(async () => {
    const known = await lost()
    await fine(20)
    return (await lost()) === known
  })
})
