import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { linesAbout } from '../../gateway/cli/logLines.ts'
import { createLog } from '../../gateway/ops/log.ts'
import { frozenClock, type ReportParts, reportOf, routeOf, snapshotOf, withAccessLog } from '../ops/world.ts'
import { newFolder, routesYaml } from './banyan.ts'

const folder = await newFolder()

/** Lines as the gateway itself writes them. */
async function logOf(name: string, reports: readonly ReportParts[]): Promise<string> {
  const file = `${folder.path}/${name}`
  const log = createLog(frozenClock(), file)
  const routes = reports.flatMap(({ route }) => (route ? [route] : []))
  log.follow(withAccessLog(snapshotOf({ revision: 41, routes }), 'stdout'))
  for (const parts of reports) log.exchange(reportOf(parts))
  await log.close()
  return file
}

const reports: readonly ReportParts[] = [
  { exchange: { id: 'other' } },
  { route: routeOf('search', 'live'), exchange: { id: 'live-1' }, answer: { upstream: 'search' } },
  { route: routeOf('search', 'legacy'), exchange: { id: 'old-1' }, answer: { upstream: 'monolith' } },
  {
    route: routeOf('search', 'live'),
    exchange: { id: 'back-1' },
    answer: { upstream: 'monolith', standing: { stage: 'shadow', shareBasisPoints: 0, why: 'rollback' } },
  },
  { route: routeOf('search', 'live'), exchange: { id: 'chosen-1' }, answer: { upstream: 'monolith' } },
  {
    route: routeOf('search', 'live'),
    exchange: { id: 'fell-1' },
    answer: { upstream: 'monolith', fallback: 'upstreamRefused' },
  },
  { route: routeOf('unmatched'), exchange: { id: 'none-1' }, answer: { upstream: 'monolith' } },
  { exchange: { id: 'bad-1' }, answer: { status: 502, by: 'gateway', failure: 'upstreamRefused' } },
]

test('why tells side, revision and reason of a request', async () => {
  const log = await logOf('one.log', reports)
  const live = await folder.banyan(['why', 'live-1', '--log', log])
  expect(live.code).toBe(0)
  expect(live.out).toContain('2026-01-02T03:04:05.000Z  GET /search')
  expect(live.out).toMatch(/^ {2}side +new +upstream search$/m)
  expect(live.out).toMatch(/^ {2}revision +41 +route search, stood at live$/m)
  expect(live.out).toContain('route search stood at live, and search is its new side')
  const old = await folder.banyan(['why', 'old-1', '--log', log])
  expect(old.out).toContain('route search stood at legacy, and monolith is its old side')
  const back = await folder.banyan(['why', 'back-1', '--log', log])
  const stood = 'route search stood at shadow (rollback: banyan history search; the file says live)'
  expect(back.out).toContain(`${stood}, and monolith is its old side`)
  const chosen = await folder.banyan(['why', 'chosen-1', '--log', log])
  expect(chosen.out).toContain('route search stood at live, and yet monolith answered, its old side')
  const fell = await folder.banyan(['why', 'fell-1', '--log', log])
  expect(fell.out).toContain('the new side had no answer (upstreamRefused), and monolith answered in its place')
  expect((await folder.banyan(['why', 'none-1', '--log', log])).out).toContain('no route names it')
  const bad = await folder.banyan(['why', 'bad-1', '--log', log])
  expect(bad.out).toContain('upstreamRefused: The service refuses connections. To blame: search')
})

test('the log is the one that the configuration names, relative to its folder', async () => {
  await logOf('access.log', reports)
  await folder.write('routes.yaml', `accessLog: { file: access.log }\n${routesYaml}`)
  const { code, out } = await folder.banyan(['why', 'live-1', '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject([{ id: 'live-1', side: 'new', revision: 41, because: expect.any(String) }])
})

test('a log that goes to stdout is piped in, and the message says so', async () => {
  const config = ['--config', await folder.write('stdout.yaml', routesYaml)]
  const asked = await folder.banyan(['why', 'live-1', ...config])
  expect([asked.code, asked.err]).toEqual([2, expect.stringContaining('banyan why live-1 --log -')])
  const stdin = 'web-1 | {"id":"live-1","msg":"exchange","by":"upstream","route":"r","status":200}\n'
  expect(await folder.banyan(['why', 'live-1', '--log', '-'], { stdin })).toMatchObject({ code: 0 })
  await folder.write('off.yaml', `accessLog: 'off'\n${routesYaml}`)
  expect((await folder.banyan(['why', 'x', '--config', 'off.yaml'])).err).toContain('accessLog is off')
})

test('an id that is not there is exit code 1', async () => {
  const log = await logOf('one.log', reports)
  expect(await folder.banyan(['why', 'live', '--log', log])).toMatchObject({ code: 1, out: '' })
  expect(await folder.banyan(['why', 'live', '--log', log, '--json'])).toMatchObject({ code: 1, out: '[]\n' })
  expect(await folder.banyan(['why', 'live-1', '--log', 'missing.log'])).toMatchObject({ code: 1 })
})

test('a log that would move the cursor of the reader does not', async () => {
  const log = await logOf('esc.log', [{ exchange: { id: 'esc', target: '/\u001b[2J\u0007' } }])
  const { out } = await folder.banyan(['why', 'esc', '--log', log])
  expect(out).toContain('/\\x1b[2J\\x07')
})

async function numbersIn(bytes: Buffer, size: number): Promise<unknown[]> {
  const count = Math.ceil(bytes.length / size)
  const chunks = Array.from({ length: count }, (_, i) => bytes.subarray(i * size, i * size + size))
  const found: unknown[] = []
  for await (const line of linesAbout('a"b', Readable.from(chunks))) found.push(line.revision)
  return found
}

const lineOf = (revision: number) => `${JSON.stringify({ id: 'a"b', revision, msg: 'exchange' })}\n`
const noise = '{"id":"a\\"b", cut off\n\n{"msg":"listening","id":"a\\"b"}\n{"msg":"exchange","id":"x","path":"a\\"b"}\n'

test('lines are found across the chunks of a stream, newest last, and broken lines do not end the search', async () => {
  const bytes = Buffer.from(`${lineOf(1)}${noise}${lineOf(2)}${lineOf(3).trimEnd()}`)
  for (const size of [1, 7, 64, bytes.length]) expect([size, await numbersIn(bytes, size)]).toEqual([size, [1, 2, 3]])
})

test('a line of another program that never ends is passed over without being kept', async () => {
  const bytes = Buffer.from(`${lineOf(1)}${'x'.repeat(3_000_000)}\n${lineOf(2)}`)
  expect(await numbersIn(bytes, 16_384)).toEqual([1, 2])
})

test('a big log is searched without being parsed', async () => {
  const log = await logOf(
    'big.log',
    Array.from({ length: 20_000 }, (_, i) => ({ exchange: { id: `id-${i}` } })),
  )
  const found: string[] = []
  for await (const { id } of linesAbout('id-19999', createReadStream(log))) found.push(id)
  expect(found).toEqual(['id-19999'])
})
