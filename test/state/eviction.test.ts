// A store of state that may forget says so: at its start, and when its settings are others when it comes back.
import { expect, onTestFinished, test } from 'vitest'
import { startGateway } from '../journey/caching.ts'
import { startRedis } from '../redis/server.ts'

async function startWith(settings: readonly string[]) {
  const redis = await startRedis(settings)
  onTestFinished(redis.stop)
  const gateway = await startGateway(`
accessLog: off
store: { state: "${redis.url}" }
upstreams: { old: { url: "http://127.0.0.1:9" } }
unmatched: old
`)
  const hints = async () => ((await (await fetch(`${gateway.adminUrl}/status`)).json()) as { hints: string[] }).hints
  return { gateway, redis, hints }
}

test.each(['allkeys-lru', 'volatile-ttl'])('with maxmemory-policy %s, in the log and in the status', async (policy) => {
  const { gateway, hints } = await startWith(['--maxmemory-policy', policy])
  const line = await gateway.line(({ store }) => store === 'evicting')
  expect(line).toMatchObject({ level: 'error', msg: expect.stringContaining(`maxmemory-policy ${policy}`) })
  expect(await hints()).toEqual([expect.stringContaining('set it to noeviction')])
})

test('also where CONFIG is refused, as a managed Redis does', async () => {
  const { gateway } = await startWith(['--maxmemory-policy', 'allkeys-lfu', '--rename-command', 'CONFIG', ''])
  await gateway.line(({ store }) => store === 'evicting')
})

test('with noeviction there is no word of it', async () => {
  const { gateway, hints } = await startWith([])
  await gateway.line(({ store }) => store === 'up')
  expect(await hints()).toEqual([])
  expect((await gateway.log()).filter(({ store }) => store === 'evicting')).toEqual([])
})
