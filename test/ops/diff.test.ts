// What operators see of the comparisons, and that looking leaves a trace.
import { expect, test } from 'vitest'
import { newFolder } from '../cli/banyan.ts'
import { answer, as, startComparing, startSide } from '../journey/comparing.ts'

const json = { 'Content-Type': 'application/json' }
const secret = 'ada@example.com'

const folder = await newFolder()

async function startDiffering() {
  const old = await startSide(answer(JSON.stringify({ who: secret, n: 1 }), json))
  const candidate = await startSide(answer(JSON.stringify({ who: 'bob', n: 1 }), json))
  const gateway = await startComparing(old, candidate)
  await (await fetch(`${gateway.url}/x/1?token=geheim`, as('s', { 'X-Request-Id': 'request-0001' }))).text()
  await gateway.diff()
  return gateway
}

async function lookOf(adminUrl: string, path = '/diff/x', fields: Record<string, string> = {}) {
  const response = await fetch(adminUrl + path, { headers: fields })
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
}

/** The records of looks, once there are so many: they are on their way to the disk. */
async function looks(adminUrl: string, count: number) {
  for (;;) {
    const { records } = (await (await fetch(`${adminUrl}/history`)).json()) as { records: { kind: string }[] }
    const found = records.filter(({ kind }) => kind === 'look')
    if (found.length >= count) return found
  }
}

test('counts, paths and examples, with nothing of what clients were answered or have asked', async () => {
  const { adminUrl } = await startDiffering()
  const look = await lookOf(adminUrl)
  expect(JSON.parse(look.text)).toMatchObject({
    route: 'x',
    compared: 1,
    same: 0,
    paths: [{ path: '$.who', kind: 'value', verdict: 'undecided', rawRate: 1 }],
    exampleCount: 1,
    examples: [
      {
        requestId: 'request-0001',
        method: 'GET',
        path: '/x/1',
        differences: [{ at: '$.who', old: expect.stringMatching(/^string\(15\) #/) }],
      },
    ],
  })
  for (const word of [secret, 'bob', 'geheim', 'SESSION']) expect(look.text).not.toContain(word)
})

test('who looks at examples is recorded; who looks at counts is not', async () => {
  const { adminUrl } = await startDiffering()
  expect(JSON.parse((await lookOf(adminUrl, '/diff/x?examples=no')).text)).not.toHaveProperty('examples')
  await lookOf(adminUrl, '/diff/x', { 'Banyan-Admin': 'cli:ada' })
  await lookOf(adminUrl)
  expect(await looks(adminUrl, 2)).toMatchObject([
    { by: 'cli:ada', subject: 'x', evidence: { examples: 1 } },
    { by: 'local', subject: 'x' },
  ])
})

test('a route that is not there, or does not move, is not found', async () => {
  const { adminUrl } = await startDiffering()
  for (const name of ['y', 'unmatched'])
    expect(await lookOf(adminUrl, `/diff/${name}`)).toMatchObject({
      status: 404,
      type: expect.stringContaining('application/problem+json'),
      text: expect.stringContaining('those that do are x'),
    })
})

test('banyan diff shows them as a table or as JSON, and says who looked', async () => {
  const { adminUrl } = await startDiffering()
  const { code, out, err } = await folder.banyan(['diff', 'x', '--admin', adminUrl], { env: { USER: 'grace' } })
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/^x: 1 compared since \S+, 0 the same, 1 different\n/)
  expect(out).toMatch(
    /VERDICT +PATH +DIFFERENCE +CANDIDATE +OLD WITH ITSELF\nundecided +\$\.who +value +100\.0% of 1 +not measured\n/,
  )
  expect(out).toMatch(/request-0001 +GET +\/x\/1\n +\$\.who +value +string\(15\) #\w+ +→ +string\(3\) #\w+/)
  expect(await looks(adminUrl, 1)).toMatchObject([{ by: 'cli:grace' }])
  const asJson = await folder.banyan(['diff', 'x', '--json', '--admin', adminUrl])
  expect(JSON.parse(asJson.out)).toMatchObject({ route: 'x', compared: 1, exampleCount: 1 })
  expect(await folder.banyan(['diff', 'y', '--admin', adminUrl])).toMatchObject({
    code: 1,
    err: expect.stringContaining('those that do are x'),
  })
})

test('banyan diff says that nothing has been compared yet', async () => {
  const { adminUrl } = await startComparing({ url: 'http://127.0.0.1:1' }, { url: 'http://127.0.0.1:2' })
  expect(await folder.banyan(['diff', 'x', '--admin', adminUrl])).toMatchObject({
    code: 0,
    out: 'x: nothing has been compared yet\n',
  })
})
