// banyan keys as a process of its own, at a gateway that serves.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { type Origin, startOrigin } from '../harness/origin.ts'
import { type Ended, newFolder } from './banyan.ts'

const folder = await newFolder()
let origin: Origin
let gateway: TestGateway
beforeAll(async () => {
  origin = await startOrigin((_request, response) => response.end('here'))
  gateway = await startTestGateway(`
accessLog: off
upstreams: { origin: { url: "${origin.url}" } }
unmatched: origin
routes:
  - { name: search, match: { path: /search }, upstream: origin, auth: { any: [apiKey] } }
`)
})
afterAll(async () => {
  await gateway.close()
  await origin.close()
})

const keys = (...args: string[]): Promise<Ended> =>
  folder.banyan(['keys', ...args, '--admin', gateway.adminUrl], { env: { USER: 'ada' } })

const ask = async (key: string) => (await fetch(`${gateway.url}/search`, { headers: { 'X-Api-Key': key } })).status

test('a key from its issue to its end', async () => {
  expect(await keys('list')).toMatchObject({ code: 0, out: 'no key has been issued\n' })
  const issued = await keys(
    'issue',
    '--owner',
    'acme',
    '--scopes',
    'a, b',
    '--routes',
    'search',
    '--rate',
    '9/s',
    '--expires',
    '30d',
  )
  expect(issued).toMatchObject({ code: 0, out: expect.stringMatching(/^byn_live_[0-9A-Za-z]{36}\n$/) })
  const key = issued.out.trim()
  const id = key.slice(0, 17)
  // What is said beside it may go to a log.
  expect(issued.err).toContain(id)
  expect(issued.err).not.toContain(key)
  expect(await ask(key)).toBe(200)
  const listed = await keys('list')
  expect(listed.out).toMatch(new RegExp(`${id} +acme +live .*a,b +search`))
  const rotated = JSON.parse((await keys('rotate', id, '--json')).out)
  expect(rotated).toMatchObject({ owner: 'acme', scopes: ['a', 'b'], replaces: { id, successor: rotated.id } })
  expect(await ask(rotated.key)).toBe(200)
  const used = await keys('who', id)
  expect(used.out).toMatch(new RegExp(`${id} of acme is rotated, its successor is ${rotated.id}`))
  expect(used.out).toMatch(/search +127\.0\.0\.1 +1 +0/)
  expect(await keys('revoke', id, '--reason', 'done')).toMatchObject({ code: 0, out: `${id} is refused everywhere\n` })
  expect([await ask(key), await ask(rotated.key)]).toEqual([401, 200])
  expect(JSON.parse((await keys('list', '--json')).out).keys).toContainEqual(
    expect.objectContaining({
      id,
      standing: 'revoked',
      revoked: expect.objectContaining({ by: 'cli:ada', reason: 'done' }),
    }),
  )
})

test('what is refused exits 1, what is mistyped 2, with what to do', async () => {
  expect(await keys('issue', '--owner', 'acme', '--routes', 'serach')).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringContaining('the routes are search'),
  })
  const mistyped: [string[], string][] = [
    [['isue'], 'banyan keys takes issue, rotate'],
    [['issue'], 'needs --owner'],
    [['revoke', 'byn_live_nobody00'], 'needs --reason'],
    [['rotate'], 'takes an ID'],
    [['list', 'x'], 'takes no ID'],
    [['list', '--owner', 'x'], 'takes no --owner'],
  ]
  for (const [args, says] of mistyped) {
    expect(await keys(...args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(says) })
  }
})
