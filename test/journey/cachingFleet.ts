// Gateways that share a cache in one Redis, before an origin that counts.
import { onTestFinished } from 'vitest'
import type { TestGateway } from '../harness/gateway.ts'
import { type RedisServer, startRedis } from '../redis/server.ts'
import { ask as askAt, type CountedOrigin, type Heard, startGateway, until } from './caching.ts'

export interface CachingFleet {
  readonly redis: RedisServer
  readonly replicas: readonly TestGateway[]
  join(): Promise<TestGateway>
}

export interface FleetOptions {
  /** Of the route /c/*. */
  readonly cache?: string
  readonly size?: number
  readonly settings?: readonly string[]
  /** The longest that a request waits for Redis: so long that a busy machine is no reason not to get an answer. */
  readonly cacheWithinMs?: number
}

/** Where Redis is frozen, and somebody waits for it in vain. */
export const soon = { cacheWithinMs: 2_000 }

export function fleetYaml(redisUrl: string, origin: { readonly url: string }, cache = '{ status: true }'): string {
  return `
accessLog: off
sessionCookie: SESSION
paths: { case: exact }
store: { cache: "${redisUrl}" }
upstreams: { origin: { url: "${origin.url}" } }
unmatched: origin
routes:
  - { name: c, match: { path: /c/*, methods: [GET, HEAD] }, upstream: origin, cache: ${cache} }
  - { name: d, match: { path: /d/*, methods: [GET, HEAD] }, upstream: origin, cache: { status: true, tags: [of-file] } }
`
}

export async function startCachingFleet(
  origin: CountedOrigin,
  { cache, size = 2, settings, cacheWithinMs = 30_000 }: FleetOptions = {},
): Promise<CachingFleet> {
  const redis = await startRedis(settings)
  onTestFinished(redis.stop)
  const join = () => startGateway(fleetYaml(redis.url, origin, cache), { cacheWithinMs })
  const replicas = await Promise.all(Array.from({ length: size }, join))
  await agree(replicas)
  return { redis, replicas, join }
}

/** Waits until each has heard of the purges of all: before it has, on a busy machine, it may take all for void once more. */
async function agree([first, ...others]: readonly TestGateway[]): Promise<void> {
  if (!first || others.length === 0) return
  await purge(first, { tag: 'hello' })
  await until(async () => {
    const counts = await Promise.all(others.map((one) => one.metric('banyan_cache_purges_total{by="log"}')))
    return counts.every((count) => count > 0)
  })
}

/** Asks until the answer has come into Redis too: on a busy machine that may have been slow just then. */
export async function fill(gateway: TestGateway, path: string, fields = {}): Promise<Heard> {
  const ended = async () => (await puts(gateway)) + (await puts(gateway, 'void')) + (await puts(gateway, 'failed'))
  for (let round = 0; round < 50; round += 1) {
    const [before, stored] = [await ended(), await puts(gateway)]
    const answer = await ask(gateway, path, fields)
    await until(async () => (await ended()) > before)
    if ((await puts(gateway)) > stored) return answer
    await purge(gateway, { path: path.replace(/\?.*/, '') })
  }
  throw new Error('it never came into Redis')
}

/** Of the site, as clients of a load balancer name it: the same at all replicas. */
export function ask(gateway: { readonly url: string }, path: string, fields = {}, method?: string): Promise<Heard> {
  return askAt(gateway.url + path, { Host: 'site.example', ...fields }, method)
}

/** Answers that have come into Redis from there, and looks into it, by their result. */
export const puts = (gateway: TestGateway, result = 'stored') =>
  gateway.metric(`banyan_cache_store_puts_total{result="${result}"}`)
export const looks = (gateway: TestGateway, result: string) =>
  gateway.metric(`banyan_cache_looks_total{tier="redis",result="${result}"}`)

export async function purge({ adminUrl }: TestGateway, what: object): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${adminUrl}/cache/purge`, {
    method: 'POST',
    headers: { 'Banyan-Admin': 'cli:ann', 'Content-Type': 'application/json' },
    body: JSON.stringify(what),
  })
  return { status: response.status, body: await response.json() }
}
