// The small parts of a run: options, verdict, the routes file, the phases.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../load-tests/arguments.ts'
import { readOptions } from '../../load-tests/options.ts'
import { phasesOf } from '../../load-tests/phases.ts'
import { hashOf, readMove, replaceRoutes, upstreamNames, withStage } from '../../load-tests/routes-file.ts'
import { listeningIn } from '../../load-tests/site.ts'
import type { SentRequest } from '../../load-tests/traffic.ts'
import { exitCodes, type Facts, verdictOf } from '../../load-tests/verdict.ts'

const clean: Facts = {
  requests: 900,
  errors: 0,
  lost: 0,
  doubled: 0,
  wrongSide: 0,
  unsent: 0,
  lagP99Ms: 2,
  forgotten: 0,
  running: 0,
  movingByPhase: [90, 90, 90],
}

describe('the verdict', () => {
  const cases: [string, Partial<Facts>, string, string[]][] = [
    ['passes a run without any finding', {}, 'passed', []],
    ['fails on one lost request', { lost: 1 }, 'failed', ['1 request lost: ']],
    ['fails on doubled requests', { doubled: 2 }, 'failed', ['2 requests doubled']],
    ['fails on the wrong side', { wrongSide: 1 }, 'failed', ['1 request answered by the wrong side']],
    ['fails on a wrong answer', { errors: 3 }, 'failed', ['3 requests not answered as they must be']],
    ['fails when the route was not moved', { notMoved: 'refused' }, 'failed', ['the route was not moved: refused']],
    ['is inconclusive when nothing was sent', { requests: 0 }, 'inconclusive', ['nothing was sent']],
    ['is inconclusive when requests were not sent', { unsent: 4 }, 'inconclusive', ['4 requests could not be sent']],
    ['is inconclusive when requests were sent late', { lagP99Ms: 101 }, 'inconclusive', ['the client did not keep up']],
    ['is inconclusive when a ledger has forgotten', { forgotten: 1 }, 'inconclusive', ['the ledgers have forgotten 1']],
    ['is inconclusive when requests still ran', { running: 1 }, 'inconclusive', ['1 request still running']],
    [
      'is inconclusive when the new side was never asked',
      { movingByPhase: [90, 0, 90] },
      'inconclusive',
      ['no request of the moving route was sent while the new side was live'],
    ],
    [
      'says failed, and the doubts too, when it has both',
      { lost: 1, unsent: 1 },
      'failed',
      ['1 request lost', '1 request could'],
    ],
  ]
  it.each(cases)('%s', (_name, facts, verdict, reasons) => {
    const found = verdictOf({ ...clean, ...facts })
    expect(found.verdict).toBe(verdict)
    expect(found.reasons.map((reason, i) => reason.startsWith(reasons[i] ?? 'no reason'))).toEqual(
      reasons.map(() => true),
    )
  })

  it('has its own exit code for each word, and 0 only for passed', () => {
    expect(exitCodes).toEqual({ passed: 0, failed: 1, inconclusive: 3 })
  })
})

describe('the options', () => {
  it('have defaults, the seed from the clock', () => {
    const { plan, json } = readOptions([], 1_700_000_123_456)
    expect(plan).toMatchObject({ ratePerSecond: 300, seconds: 30, seed: 123_456, throughputSeconds: 3 })
    expect([json, plan.logFile].map((file) => file.replace(/.*load-tests/, ''))).toEqual([
      '/out/cutover.json',
      '/out/cutover.log',
    ])
  })

  it('take a fault, or a given site', () => {
    expect(readOptions(['--fault', 'drop', '--rate', '50'], 0).plan).toMatchObject({ fault: 'drop', ratePerSecond: 50 })
    const site = ['--gateway', 'http://a:1/', '--admin', 'http://a:2', '--config', 'x.yaml']
    expect(readOptions(site, 0).plan.given).toEqual({
      gateway: 'http://a:1',
      admin: 'http://a:2',
      configFile: 'x.yaml',
    })
  })

  const mistakes: [string, string[], string][] = [
    ['an unknown option', ['--rats', '3'], '--rats'],
    ['a rate that is no number', ['--rate', '3e2'], '--rate must be a whole number from 1 to 10000'],
    ['too short a run', ['--seconds', '2'], '--seconds must be a whole number from 3 to 3600'],
    ['an unknown fault', ['--fault', 'flood'], '--fault must be one of drop, truncate, double'],
    ['half a given site', ['--gateway', 'http://a'], '--gateway, --admin and --config belong together'],
    [
      'a site that is no URL',
      ['--gateway', 'a', '--admin', 'http://a', '--config', 'x'],
      '--gateway must be an http URL',
    ],
    [
      'a fault at a given site',
      ['--fault', 'drop', '--gateway', 'http://a', '--admin', 'http://a', '--config', 'x'],
      '--fault needs the site that is started here',
    ],
  ]
  it.each(mistakes)('refuse %s', (_name, args, message) => {
    expect(() => readOptions(args, 0)).toThrow(UsageError)
    expect(() => readOptions(args, 0)).toThrow(message)
  })
})

describe('the routes file', () => {
  const routes = `# the site
upstreams: { monolith: { url: "http://a:1" }, search: { url: "http://a:2" } } # two
unmatched: monolith
routes:
  - name: other
    match: { path: /o }
    upstream: monolith
  - name: search # the one that moves
    match: { path: /api/search }
    move:
      to: search
      # stage: said here
      stage: legacy # who answers
`

  it('has its stage changed and nothing else', () => {
    expect(withStage(routes, 'search', 'live')).toBe(routes.replace('stage: legacy #', 'stage: live #'))
  })

  it('says who moves from where to where, with the defaults of the language', () => {
    expect(readMove(routes, 'search')).toEqual({ route: 'search', from: 'monolith', to: 'search', stage: 'legacy' })
    const short = 'unmatched: old\nroutes: [{ name: search, move: { to: new } }]\n'
    expect(readMove(short, 'search')).toEqual({ route: 'search', from: 'old', to: 'new', stage: 'legacy' })
    expect(upstreamNames(routes)).toEqual(['monolith', 'search'])
  })

  it.each([
    ['a route that is not there', 'nothing'],
    ['a route that does not move', 'other'],
  ])('is refused for %s', (_name, route) => {
    expect(() => withStage(routes, route, 'live')).toThrow(`no route "${route}" with a move`)
  })

  it('is refused when it is no YAML', () => {
    expect(() => readMove('routes: [', 'search')).toThrow('routes file: ')
  })

  it('is replaced as a whole, and nothing is left beside it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'routes-'))
    const file = join(folder, 'routes.yaml')
    await writeFile(file, 'old')
    await replaceRoutes(file, routes)
    expect(await readFile(file, 'utf8')).toBe(routes)
    expect(await readdir(folder)).toEqual(['routes.yaml'])
    await rm(folder, { recursive: true })
    expect(hashOf('')).toBe('e3b0c44298fc')
  })
})

describe('the gateway’s listening line', () => {
  it('is known by its message among other lines', () => {
    const line = '{"level":30,"msg":"listening","public":"http://127.0.0.1:1","admin":"http://127.0.0.1:2"}'
    expect(listeningIn(line)).toEqual({ public: 'http://127.0.0.1:1', admin: 'http://127.0.0.1:2' })
    expect(listeningIn('{"msg":"exchange","path":"/\\"listening\\""}')).toBeUndefined()
    expect(listeningIn('gateway listening')).toBeUndefined()
  })
})

describe('the phases', () => {
  const request = (id: string, sentAt: number, part: Partial<SentRequest> = {}): SentRequest => ({
    ...{ id, kind: 'search', scheduledAt: sentAt - 1, sentAt, endedAt: sentAt + 5 },
    ...{ outcome: 'ok' as const, status: 200, isAnswered: true, ...part },
  })
  const sides = new Map([
    ['a', ['monolith']],
    ['c', ['search']],
  ])
  const phases = phasesOf({
    records: [
      request('a', 10),
      request('b', 96, { outcome: 'reset', status: 0 }),
      request('c', 130),
      request('d', 300, { kind: 'list', outcome: 'wrongStatus', status: 502 }),
    ],
    windows: [
      { from: 100, to: 120 },
      { from: 200, to: 220 },
    ],
    movingKinds: new Set(['search']),
    sidesOf: (id) => sides.get(id) ?? [],
  })

  it('put each request into exactly one, and what was under way during a flip into its own', () => {
    expect(phases.map(({ name, requests }) => [name, requests])).toEqual([
      ['before', 1],
      ['during', 1],
      ['after', 1],
      ['around the flips', 1],
    ])
  })

  it('say who answered: a side, the gateway, or nobody', () => {
    expect(phases.map(({ answeredBy }) => answeredBy)).toEqual([
      { monolith: 1 },
      { search: 1 },
      { gateway: 1 },
      { nobody: 1 },
    ])
  })

  it('measure right answers from the scheduled time, the moving route’s apart', () => {
    expect(phases[0]?.latencyMs).toEqual({ count: 1, p50: 6, p99: 6, max: 6 })
    expect(phases[1]?.movingLatencyMs).toEqual({ count: 1, p50: 6, p99: 6, max: 6 })
    expect(phases[2]?.latencyMs).toBeUndefined()
  })
})
