import { beforeAll, expect, test } from 'vitest'
import { fieldsOf } from '../../gateway/message/fields.ts'
import { chosenSide } from '../../gateway/rollout/testers.ts'
import { newFolder } from './banyan.ts'

const key = 'a secret of the testers'
const env = { TESTERS: key }
const routesYaml = `upstreams:
  monolith: { url: http://127.0.0.1:4000 }
  search: { url: http://127.0.0.1:4100 }
unmatched: monolith
paths: { case: exact }
groups:
  catalog: { stage: shadow, testers: { field: X-Tester, key: "\${TESTERS}" } }
routes:
  - name: finder
    was: search
    match: { path: /search }
    move: { to: search, stage: shadow, testers: { cookie: tester, key: "\${TESTERS}" } }
  - { name: list, group: catalog, match: { path: /items }, move: { to: search } }
  - { name: plain, match: { path: /plain }, move: { to: search } }
  - { name: done, match: { path: /done }, move: { to: search, stage: final, testers: { cookie: t, key: "\${TESTERS}" } } }
`

const folder = await newFolder()
beforeAll(() => folder.write('routes.yaml', routesYaml))

async function told(...args: string[]) {
  const { code, out } = await folder.banyan(['tester', 'ann', ...args, '--json'], { env })
  expect(code).toBe(0)
  return JSON.parse(out)
}

test('a word is one that the gateway takes, in the cookie of the move, until it is over', async () => {
  const before = Date.now()
  const { word, until, header, ...rest } = await told('--rollout', 'finder', '--side', 'new', '--for', '2h')
  expect(rest).toEqual({ ok: true, file: 'routes.yaml', name: 'ann', rollout: 'search', side: 'new', cookie: 'tester' })
  expect(header).toBe(`Cookie: tester=${word}`)
  const untilMs = Date.parse(until)
  expect(untilMs - before).toBeGreaterThan(7_198_000)
  expect(untilMs - Date.now()).toBeLessThanOrEqual(7_200_000)
  const testers = { by: 'cookie', name: 'tester', key } as const
  const fields = fieldsOf(['Cookie', `tester=${word}`])
  expect(chosenSide(fields, testers, 'search', untilMs - 1)).toBe('new')
  expect(chosenSide(fields, testers, 'search', untilMs)).toBeUndefined()
})

test('of a group the word is good for all its routes, in the field that it names, for eight hours', async () => {
  const { word, until, header, ...rest } = await told('--rollout', 'list', '--side', 'old')
  expect(rest).toMatchObject({ rollout: 'catalog', side: 'old', field: 'X-Tester' })
  expect(header).toBe(`X-Tester: ${word}`)
  expect(Math.round((Date.parse(until) - Date.now()) / 60_000)).toBeCloseTo(480, -1)
  const testers = { by: 'field', name: 'x-tester', key } as const
  expect(chosenSide(fieldsOf(['X-Tester', word]), testers, 'catalog', Date.now())).toBe('old')
})

test('a person is told how to use it, and never the secret', async () => {
  const { code, out, err } = await folder.banyan(['tester', 'ann', '--rollout', 'search', '--side', 'new'], { env })
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/^until 20\S+Z ann is answered by the new side of "search", unless it is rolled back, with\n/)
  expect(out).toMatch(/\n {2}curl -H 'Cookie: tester=ann~new~[0-9]+~[\w-]{43}' …\n/)
  expect(out).toMatch(/\n {2}document\.cookie = 'tester=ann~new~[0-9]+~[\w-]{43}; path=\/; expires=.* GMT'\n$/)
  expect(out).not.toContain(key)
})

test.each([
  ['nothing', 'no route or group "nothing" moves; those that do are search, plain, done, catalog'],
  ['plain', '"plain" has no testers; add to it: testers: { cookie: NAME, key: SECRET }'],
  ['done', '"done" is final: there is no side to choose'],
])('for %s there is none, and why is said', async (rollout, reason) => {
  const asked = ['tester', 'ann', '--rollout', rollout, '--side', 'new']
  expect(await folder.banyan(asked, { env })).toEqual({ code: 1, out: '', err: `${reason}\n` })
})

test('a script is told why there is none too', async () => {
  const asked = ['tester', 'ann', '--rollout', 'done', '--side', 'new', '--json']
  const { code, out } = await folder.banyan(asked, { env })
  const reason = '"done" is final: there is no side to choose'
  expect([code, JSON.parse(out)]).toEqual([1, { ok: false, file: 'routes.yaml', reason }])
})

test('without the secret in the environment there is none', async () => {
  const { code, out, err } = await folder.banyan(['tester', 'ann', '--rollout', 'search', '--side', 'new'])
  expect([code, out]).toEqual([1, ''])
  expect(err).toContain('the environment variable TESTERS is not set')
})

test('what is asked for by halves is a mistake of the command line', async () => {
  const wrong = [
    ['tester', 'an~n', '--rollout', 'search', '--side', 'new'],
    ['tester', 'ann', '--side', 'new'],
    ['tester', 'ann', '--rollout', 'search', '--side', 'both'],
    ['tester', 'ann', '--rollout', 'search', '--side', 'new', '--for', 'ever'],
    ['tester', 'ann', '--rollout', 'search', '--side', 'new', '--for', '31d'],
  ]
  const ended = await Promise.all(wrong.map((args) => folder.banyan(args, { env })))
  expect(ended.map(({ code, out }) => [code, out])).toEqual(wrong.map(() => [2, '']))
})
