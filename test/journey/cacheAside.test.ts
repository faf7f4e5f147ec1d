// What the stock must not hide: failures from the guard, a login that only the connection knows, and an upstream that is asked
// behind its clients and fails.
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { ask, counting, startCaching, startCounted, until } from './caching.ts'

const stale = { 'Cache-Control': 'max-age=10', Age: '50' }

test('what stale answers hide from clients is not hidden from the guard: the move goes back', async () => {
  const [old, candidate] = [await startCounted(counting({}, 200)), await startCounted(counting(stale))]
  const gateway = await startTestGateway(`
accessLog: off
sessionCookie: SESSION
paths: { case: exact }
upstreams: { old: { url: "${old.url}" }, new: { url: "${candidate.url}" } }
unmatched: old
routes:
  - name: c
    match: { path: /c/*, methods: [GET] }
    cache: { staleIfError: 10m }
    retry: { on: [503] }
    move: { to: new, stage: live, guard: { failuresInARow: 5, minRequests: 1000000 } }
`)
  onTestFinished(gateway.close)
  await ask(`${gateway.url}/c/a`)
  candidate.answer = counting({}, 503)
  for (let i = 0; i < 5; i++) expect(await ask(`${gateway.url}/c/a`)).toMatchObject({ status: 200, text: 'answer 1' })
  // Neither sent again nor to the old side: the stale answer is at hand.
  expect([candidate.asked.length, old.asked.length]).toEqual([6, 0])
  await gateway.line(({ msg }) => msg === 'rollout rollback')
})

test('who is known by his connection is given nothing from the stock of others, and puts nothing there', async () => {
  const answered = counting({ 'Cache-Control': 'max-age=600' })
  const origin = await startCounted((asked, response) => {
    if (asked.url !== '/c/login') return answered(asked, response)
    response.writeHead(401, { 'WWW-Authenticate': 'NTLM' }).end()
  })
  const gateway = await startCaching(origin)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const asAnna = async (path: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    request(gateway.url + path, { agent }, (response) => text(response).then(resolve, reject))
      .on('error', reject)
      .end()
    return promise
  }
  await asAnna('/c/login')
  expect(await asAnna('/c/a')).toBe('answer 1')
  expect((await ask(`${gateway.url}/c/a`)).text).toBe('answer 2')
  expect(await asAnna('/c/a')).toBe('answer 3')
  expect((await ask(`${gateway.url}/c/a`)).text).toBe('answer 2')
})

test.each([
  ['says 503', counting({}, 503)],
  ['breaks off', (asked: { socket: { destroy(): void } }) => asked.socket.destroy()],
])('an upstream that %s when it is asked behind a client is left alone for a while', async (_, failing) => {
  const origin = await startCounted(counting(stale))
  const gateway = await startCaching(origin, '{ staleWhileRevalidate: 10m, staleIfError: 10m }')
  await ask(`${gateway.url}/c/a`)
  origin.answer = failing
  const startedAt = performance.now()
  for (let i = 0; i < 100; i++) expect((await ask(`${gateway.url}/c/a`)).text).toBe('answer 1')
  const seconds = (performance.now() - startedAt) / 1_000
  // After one, two, four … seconds somebody asks again, however long a busy machine takes for this.
  const most = 1 + [1, 3, 7, 15, 31].filter((rested) => rested <= seconds).length
  expect(origin.asked.length).toBeLessThanOrEqual(1 + most)
  const before = origin.asked.length
  await until(async () => {
    await ask(`${gateway.url}/c/a`)
    return origin.asked.length > before
  })
})
