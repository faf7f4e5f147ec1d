// Whoever has just written reads what is, not what was stored before; everybody else goes on reading from stock.
import { expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { counting, startCounted } from './caching.ts'

test('the reads of a client that has just written pass the cache by', async () => {
  const [old, candidate] = [
    await startCounted(counting({ 'Cache-Control': 'public, max-age=600' })),
    await startCounted(counting({ 'Cache-Control': 'public, max-age=600' })),
  ]
  const gateway = await startTestGateway(`
upstreams: { old: { url: "${old.url}" }, new: { url: "${candidate.url}" } }
unmatched: old
paths: {}
sessionCookie: SESSION
routes:
  - name: orders
    match: { path: /orders, methods: [GET] }
    cache: {}
    move: { to: new, stage: canary, share: 0%, readYourWrites: { after: [/carts], for: 1h } }
`)
  const ask = async (path: string, session: string, method = 'GET') =>
    (await fetch(`${gateway.url}${path}`, { method, headers: { Cookie: `SESSION=${session}` } })).text()

  expect([await ask('/orders', 'ann'), await ask('/orders', 'ben')]).toEqual(['answer 1', 'answer 1'])
  expect(await ask('/carts', 'ann', 'POST')).toBe('answer 2')
  expect(await ask('/orders', 'ann')).toBe('answer 3')
  expect(await ask('/orders', 'ben')).toBe('answer 1')
})
