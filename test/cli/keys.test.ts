// banyan keys as a process of its own, at a gateway that serves.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeKey } from '../../gateway/identity/keyFormat.ts'
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

test('keys that leaked are found in whatever they stand in, revoked, and what was done with them is told', async () => {
  const [one, other] = [
    (await keys('issue', '--owner', 'one')).out.trim(),
    (await keys('issue', '--owner', 'two')).out.trim(),
  ]
  await ask(one)
  const strange = makeKey('live', (count) => new Uint8Array(count).fill(3))
  const file = await folder.write(
    'paste.txt',
    `curl -H 'X-Api-Key: ${one}' # or ${strange}\n${other.slice(0, 17)} is only a name`,
  )
  const leaked = await keys('leak', file, '--reason', 'on a paste site')
  expect(leaked.code).toBe(0)
  expect(leaked.out).toMatch(/of one was live, and is revoked now; its use:/)
  expect(leaked.out).toMatch(/search +127\.0\.0\.1 +1 +0/)
  expect(leaked.out).toContain('byn_live_33333333 was never issued here')
  expect([await ask(one), await ask(other)]).toEqual([401, 200])
  const again = await folder.banyan(['keys', 'leak', '-', '--admin', gateway.adminUrl, '--json'], { stdin: one })
  expect(JSON.parse(again.out)).toMatchObject({ keys: [{ was: 'revoked', uses: [{ count: 2, refused: 1 }] }] })
  expect(await keys('leak', other)).toMatchObject({ code: 0, out: expect.stringContaining('of two was live') })
  expect(await ask(other)).toBe(401)
  const none = await folder.write('none.txt', 'nothing to see')
  expect(await keys('leak', none)).toMatchObject({ code: 1, err: 'no key is in it\n' })
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
    [['rotate'], 'takes one ID'],
    [['list', 'x'], 'takes nothing more'],
    [['leak', '/no/such/file'], 'is neither a key nor a file'],
    [['list', '--owner', 'x'], 'takes no --owner'],
  ]
  for (const [args, says] of mistyped) {
    expect(await keys(...args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(says) })
  }
})
