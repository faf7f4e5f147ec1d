// Redis killed, frozen and restarted under load, and a gateway killed in the midst of a body: no client notices, and nothing that is
// there in part is given to anybody.
import type { ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import type { TestGateway } from '../harness/gateway.ts'
import { places } from '../harness/places.ts'
import { newFolder, startProcess } from '../harness/process.ts'
import { start, startCounted, until, whole } from './caching.ts'
import { ask, fill, fleetYaml, looks, purge, puts, soon, startCachingFleet } from './cachingFleet.ts'

/** So many keys that most requests find nothing near: each is asked for with another query now and then. */
const keys = 40

interface Load {
  readonly failed: readonly string[]
  /** Resolves once so many more have been answered. */
  more(count: number): Promise<void>
  stop(): Promise<void>
}

/** Eight clients who ask one after another, at all replicas in turn. */
function startLoad(replicas: readonly TestGateway[]): Load {
  const failed: string[] = []
  let answered = 0
  let isOver = false
  async function askOnce(nth: number): Promise<void> {
    const path = `/c/${nth % keys}?v=${Math.floor(nth / 200)}`
    const gateway = replicas[nth % replicas.length] as TestGateway
    const found = await ask(gateway, path).catch((thrown: unknown) => ({ status: 0, text: String(thrown) }))
    if (found.status !== 200 || found.text !== path.repeat(2_000)) failed.push(`${path}: ${found.status}`)
    answered += 1
  }
  let next = 0
  const clients = Array.from({ length: 8 }, async () => {
    while (!isOver) await askOnce(next++)
  })
  return {
    failed,
    more(count) {
      const enough = answered + count
      return until(async () => answered >= enough)
    },
    async stop() {
      isOver = true
      await Promise.all(clients)
    },
  }
}

test('no request fails while the Redis is frozen, thawed, killed and restarted, and it is used again afterwards', async () => {
  const origin = await startCounted((request, response) =>
    whole(response, (request.url ?? '').repeat(2_000), { 'Cache-Control': 'max-age=1000' }),
  )
  const { replicas, redis } = await startCachingFleet(origin, soon)
  const load = startLoad(replicas)
  const isUp = async () => {
    const states = await Promise.all(replicas.map((replica) => replica.metric('banyan_cache_store_up')))
    return states.every((state) => state === 1)
  }
  const isDown = async () => !(await isUp())
  await load.more(400)
  redis.freeze()
  await until(isDown)
  await load.more(200)
  redis.thaw()
  await until(isUp)
  await load.more(200)
  await redis.kill()
  await until(isDown)
  await load.more(200)
  await redis.restart()
  await until(isUp)
  const before = await puts(replicas[0] as TestGateway)
  await until(async () => (await puts(replicas[0] as TestGateway)) > before)
  await load.stop()
  expect(load.failed).toEqual([])
  // Waited for while it was frozen, and then left alone.
  expect(await looks(replicas[0] as TestGateway, 'away')).toBeGreaterThan(0)
})

test('a gateway that is killed while a body comes leaves nothing that anybody is given', async () => {
  let open: ServerResponse | undefined
  const half = Buffer.alloc(200_000, 'x')
  const origin = await startCounted((_, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=1000', 'Content-Length': 2 * half.length })
    if (open) return response.end(Buffer.concat([half, half]))
    open = response
    response.write(half)
  })
  const { redis, replicas } = await startCachingFleet(origin, { size: 1 })
  const doomed = await startProcess(await newFolder(places + fleetYaml(redis.url, origin)))
  const admin = new Redis({ port: redis.port, host: '127.0.0.1' })
  await doomed.line(({ cacheStore }) => cacheStore === 'up')
  // Nothing is looked for in Redis, which the real command would wait for a tenth of a second.
  const client = await start(`${doomed.url}/c/a`, { Host: 'site.example', 'Cache-Control': 'no-cache' })
  const read = text(client).catch((thrown: Error) => thrown.message)
  await until(async () => (await admin.keys('*:body:*')).length === 3)
  doomed.child.kill('SIGKILL')
  await doomed.exited
  expect(await read).toBe('aborted')
  expect(await admin.keys('*:heads:*')).toEqual([])
  const [other] = replicas as [TestGateway]
  const found = await ask(other, '/c/a')
  expect([found.status, found.text.length]).toEqual([200, 2 * half.length])
  expect(origin.asked).toHaveLength(2)
  for (const key of await admin.keys('*')) expect(await admin.pttl(key)).toBeGreaterThan(0)
  admin.disconnect()
})

test('what is purged while the Redis is away stays away, also when what lay there is there again', async () => {
  const origin = await startCounted((_, response) =>
    response.writeHead(200, { 'Cache-Control': 'max-age=1000' }).end(`answer ${origin.asked.length}`),
  )
  const { redis, replicas } = await startCachingFleet(origin, { size: 1, ...soon })
  const [one] = replicas as [TestGateway]
  const { text: before } = await fill(one, '/c/a')
  redis.freeze()
  expect((await purge(one, { path: '/c/a' })).status).toBe(504)
  redis.thaw()
  await until(async () => (await one.metric('banyan_cache_store_up')) === 1)
  expect((await ask(one, '/c/a')).text).not.toBe(before)
})
