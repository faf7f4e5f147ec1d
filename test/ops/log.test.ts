import { mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { asFailure } from '../../gateway/errors.ts'
import { fieldsOf } from '../../gateway/message/fields.ts'
import { createLog, type Log, loggedPath } from '../../gateway/ops/log.ts'
import { frozenClock, reportOf, routeOf, snapshotOf, withAccessLog } from './world.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'banyan-log-'))
})
afterAll(() => rm(directory, { recursive: true }))

let files = 0
function newFile(): string {
  files += 1
  return join(directory, `log-${files}`)
}

async function linesOf(file: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(file, 'utf8')
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

function logTo(stdout: string): Log {
  return createLog(frozenClock(), stdout)
}

test('an exchange is one line that says who answered, which side that is, and under which revision', async () => {
  const file = newFile()
  const log = logTo(file)
  const route = routeOf('search', 'live')
  const standing = { stage: 'canary', shareBasisPoints: 1_000, why: 'pause', reason: 'wait' } as const
  log.follow(withAccessLog(snapshotOf({ revision: 41, routes: [route] }), 'stdout'))
  log.exchange(reportOf({ route, answer: { upstream: 'search', standing }, end: { at: 25.04 } }))
  await log.close()
  expect(await linesOf(file)).toEqual([
    {
      level: 'info',
      time: '2026-01-02T03:04:05.000Z',
      id: 'id-1',
      route: 'search',
      stage: 'live',
      effective: 'canary 10%',
      why: 'pause',
      side: 'new',
      upstream: 'search',
      by: 'upstream',
      method: 'GET',
      path: '/search',
      status: 200,
      outcome: 'complete',
      durationMs: 25,
      bodyBytes: 12,
      client: '192.0.2.7',
      revision: 41,
      msg: 'exchange',
    },
  ])
})

test('a request keeps the revision that it entered with', async () => {
  const file = newFile()
  const log = logTo(file)
  const old = routeOf('search', 'legacy')
  log.follow(withAccessLog(snapshotOf({ revision: 1, routes: [old] }), 'stdout'))
  log.follow(withAccessLog(snapshotOf({ revision: 2, routes: [routeOf('search', 'live')] }), 'stdout'))
  log.exchange(reportOf({ route: old, answer: { upstream: 'monolith' } }))
  await log.close()
  expect(await linesOf(file)).toMatchObject([{ revision: 1, side: 'old', stage: 'legacy' }])
})

test('a failure names its code and the upstream that the request was headed for', async () => {
  const file = newFile()
  const log = logTo(file)
  log.follow(withAccessLog(snapshotOf(), 'stdout'))
  const answer = { status: 504, by: 'gateway', failure: 'upstreamFirstByteTimeout' } as const
  log.exchange({ ...reportOf({ answer }), reason: 'no byte from 10.0.0.9' })
  await log.close()
  expect(await linesOf(file)).toMatchObject([
    { failure: 'upstreamFirstByteTimeout', reason: 'no byte from 10.0.0.9', upstream: 'search', side: 'new' },
  ])
})

test('no secret of a request reaches a log: not of its query, fields, target, path parameters or body', async () => {
  const file = newFile()
  const log = logTo(file)
  log.follow(withAccessLog(snapshotOf(), 'stdout'))
  const fields = fieldsOf(['Authorization', 'Bearer sekret', 'Cookie', 'SESSION=sekret', 'X-Api-Key', 'sekret'])
  const targets = [
    '/search?token=sekret&q=sekret',
    '/search#sekret',
    'http://user:sekret@example.com/search?x=sekret',
    'http://user:sekret@example.com',
    'http://user:sekret@example.com?sekret',
    'user:sekret@example.com:443',
    '/page;jsessionid=sekret/next;v=sekret?x=sekret',
    '/search?a\r\nb=sekret',
  ]
  for (const target of targets) {
    const exchange = { target, fields, body: Buffer.from('password=sekret') }
    const answer = { status: 500, by: 'gateway', failure: 'internal' } as const
    log.exchange({
      ...reportOf({ exchange, answer }),
      reason: asFailure(new SyntaxError('Unexpected token in "sekret"')).message,
    })
  }
  await log.close()
  const text = await readFile(file, 'utf8')
  expect(text.split('\n')).toHaveLength(targets.length + 1)
  expect(text).not.toContain('sekret')
})

test('a line end in a target cannot break or forge a line', async () => {
  const file = newFile()
  const log = logTo(file)
  log.follow(withAccessLog(snapshotOf(), 'stdout'))
  log.exchange(reportOf({ exchange: { target: '/a\r\n{"id":"forged"}', id: 'b\nc' } }))
  await log.close()
  expect(await linesOf(file)).toMatchObject([{ path: '/a\r\n{"id":"forged"}', id: 'b\nc' }])
})

test('the path is logged as it was sent, at most 1 KiB of it', () => {
  expect(loggedPath('/a%2Fb//c/../d')).toBe('/a%2Fb//c/../d')
  expect(loggedPath('http://example.com')).toBe('/')
  expect(loggedPath('*')).toBe('*')
  expect(loggedPath(`/${'a'.repeat(5000)}`)).toHaveLength(1025)
})

test("the access log can be switched off, and the lines of the gateway's life still go to stdout", async () => {
  const file = newFile()
  const log = logTo(file)
  log.follow(withAccessLog(snapshotOf(), 'off'))
  log.exchange(reportOf())
  log.life.info({ port: 8080 }, 'listening')
  await log.close()
  expect(await linesOf(file)).toMatchObject([{ msg: 'listening', port: 8080, level: 'info' }])
})

test('after logrotate moved the file, lines go to a new one and none is lost', async () => {
  const stdout = newFile()
  const file = join(directory, 'made', 'on', 'demand', 'access.log')
  const log = logTo(stdout)
  log.follow(withAccessLog(snapshotOf(), { file }))
  log.exchange(reportOf({ exchange: { id: 'before' } }))
  await readWhenThere(file)
  await rename(file, `${file}.1`)
  log.exchange(reportOf({ exchange: { id: 'waiting' } }))
  log.reopen()
  log.exchange(reportOf({ exchange: { id: 'after' } }))
  await log.close()
  const old = await linesOf(`${file}.1`)
  const young = await linesOf(file)
  expect([...old, ...young].map(({ id }) => id)).toEqual(['before', 'waiting', 'after'])
  expect(young.at(-1)).toMatchObject({ id: 'after' })
})

test('an edit of accessLog moves the lines at once, and the ones before it are kept', async () => {
  const stdout = newFile()
  const [first, second] = [newFile(), newFile()]
  const log = logTo(stdout)
  for (const [index, file] of [first, second].entries()) {
    log.follow(withAccessLog(snapshotOf(), { file }))
    log.exchange(reportOf({ exchange: { id: `in-${index}` } }))
  }
  log.follow(withAccessLog(snapshotOf(), 'stdout'))
  log.exchange(reportOf({ exchange: { id: 'out' } }))
  await log.close()
  const found = await Promise.all([first, second, stdout].map(linesOf))
  expect(found.map((lines) => lines.map(({ id }) => id))).toEqual([['in-0'], ['in-1'], ['out']])
})

test('a full disk fails no request and does not hold up the exit', async () => {
  const log = logTo(newFile())
  log.follow(withAccessLog(snapshotOf(), { file: '/dev/full' }))
  for (let i = 0; i < 1000; i += 1) log.exchange(reportOf())
  await expect(log.close()).resolves.toBeUndefined()
  expect(() => log.flushSync()).not.toThrow()
})

test('a directory that cannot be made fails no request, and what cannot wait is counted', async () => {
  const log = logTo(newFile())
  log.follow(withAccessLog(snapshotOf(), { file: '/dev/null/no/access.log' }))
  const exchange = { target: `/${'a'.repeat(1000)}` }
  for (let i = 0; i < 20_000; i += 1) log.exchange(reportOf({ exchange }))
  expect(log.dropped()).toBeGreaterThan(1000)
  await log.close()
})

async function readWhenThere(file: string): Promise<void> {
  for (let i = 0; i < 100_000; i += 1) {
    const text = await readFile(file, 'utf8').catch(() => '')
    if (text.endsWith('\n')) return
  }
  throw new Error(`nothing was written to ${file}`)
}
