// The bench runs, and gives no figures to whoever answers wrongly. How fast anybody is, is no test.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Contestant } from '../../load-tests/bench/contestants.ts'
import { leanLoop } from '../../load-tests/bench/load.ts'
import { readOptions, UsageError } from '../../load-tests/bench/options.ts'
import { type Origin, startLeanOrigin } from '../../load-tests/bench/origin.ts'
import { type Measured, measureAll, type Row } from '../../load-tests/bench/run.ts'
import { type Scenario, scenarios } from '../../load-tests/bench/scenarios.ts'
import { renderTable } from '../../load-tests/bench/table.ts'
import { usageOf } from '../../load-tests/bench/usage.ts'

let folder = ''
let origin: Origin
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-bench-test-'))
  origin = await startLeanOrigin()
})
afterAll(async () => {
  await origin.stop()
  await rm(folder, { recursive: true })
})

const main = fileURLToPath(new URL('../../load-tests/bench/main.ts', import.meta.url))

/** Runs the command where nothing is on the PATH: no nginx, no wrk, no taskset, and nothing to install them with. */
async function bench(name: string, args: readonly string[]): Promise<{ code: number; told: string; rows: Row[] }> {
  const json = join(folder, `${name}.json`)
  const child = spawn(process.execPath, [main, 'proxy', ...args, '--rounds', '1', '--seconds', '1', '--json', json], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH: '' },
  })
  const closed = once(child, 'close')
  const told = await text(child.stdout)
  const [code] = (await closed) as [number]
  return { code, told, rows: JSON.parse(await readFile(json, 'utf8')) }
}

const always = ['requestsPerSecond', 'p50Ms', 'p99Ms', 'cpuMicrosPerRequest', 'rssBytes'] as const

function expectFigures(row: Row | undefined, extra: readonly string[] = []): void {
  expect(row).toBeDefined()
  expect(Object.keys(row ?? {}).sort()).toEqual(['proxy', 'scenario', 'round', ...always, ...extra].sort())
  for (const figure of always) expect(row?.[figure], `${figure} of ${row?.proxy}`).toBeGreaterThan(0)
}

describe.concurrent('npm run bench -- proxy', () => {
  // Two runs at a time: most of each is waiting for a second to pass.
  test.each([
    ['some', ['@fastify/http-proxy', 'http-proxy']],
    ['others', ['http-proxy-middleware', 'httpxy', 'banyan']],
  ])(
    'gives figures of every proxy that can be started, and names those that are missing: %s',
    async (name, proxies) => {
      const { code, told, rows } = await bench(name, [
        ...['--scenario', 'small', '--connections', '8'],
        ...['--proxies', ['nginx', ...proxies].join()],
      ])
      expect(told).toContain('missing: nginx is not installed')
      expect(told).toContain('not pinned to cores: there is no taskset')
      expect(rows.map(({ proxy, scenario, round }) => ({ proxy, scenario, round }))).toEqual(
        proxies.map((proxy) => ({ proxy, scenario: 'small', round: 1 })),
      )
      for (const row of rows) expectFigures(row)
      for (const proxy of proxies) expect(told).toMatch(new RegExp(`^${proxy} +\\d`, 'm'))
      expect(code).toBe(0)
    },
  )

  test('asks who is let in by a token alone only with one, and what comes from stock of whom it is', async () => {
    const args = ['--connections', '8', '--proxies', 'banyan-auth,banyan-cache-own']
    const { code, rows } = await bench('bearer', ['--scenario', 'small,bearer', ...args])
    expect(rows.map(({ proxy, scenario }) => `${scenario} ${proxy}`)).toEqual([
      'bearer banyan-auth',
      'bearer banyan-cache-own',
    ])
    for (const row of rows) expectFigures(row)
    expect(code).toBe(0)
  })

  test('counts the memory of idle connections, and keeps a rate', async () => {
    const args = ['--scenario', 'idle1k,rate', '--connections', '100', '--proxies', 'http-proxy']
    const { code, rows } = await bench('idle', args)
    const [idle, rate] = rows
    expectFigures(idle, ['rssBytesPerConnection'])
    expectFigures(rate, ['lagP99Ms'])
    // More than the rate, as the closed loop would ask, is far outside of what chance gives (45 more or less).
    expect(rate?.requestsPerSecond).toBeLessThan(2500)
    expect(code).toBe(0)
  })
})

const small = scenarios.find(({ name }) => name === 'small') as Scenario

/** One round of what answers each request with what `answer` makes of its number. @param answer the source of a function */
async function measureOne(answer: string): Promise<Row | undefined> {
  const script = `let number = 0
    require('node:http').createServer((_, response) => (${answer})(response, ++number)).listen(process.argv[1], '127.0.0.1')`
  const contestant: Contestant = {
    name: 'liar',
    prepare: async ({ port }) => ({ program: process.execPath, args: ['-e', script, String(port)] }),
  }
  const bench = { loop: leanLoop, originPort: origin.port, proxyPrefix: [], folder, random: Math.random }
  const plan = { bench, contestants: [contestant], scenarios: [{ ...small, connections: 4 }], rounds: 1, seconds: 1 }
  for await (const row of measureAll(plan)) return row
  return undefined
}

const right = `Buffer.alloc(1024, 'a banyan is a strangler fig ')`

describe('a proxy that answers wrongly has no figures', () => {
  test.each([
    ['an error from the start', `(r) => r.writeHead(502, { 'content-length': 0 }).end()`, 'status 502'],
    [
      'an error under load',
      `(r, n) => r.writeHead(n > 50 ? 500 : 200, { 'content-length': 1024 }).end(${right})`,
      '500',
    ],
    ['a short body', `(r) => r.end('short')`, 'a body of 5 bytes instead of 1024'],
    ['a body of the right length', `(r) => r.end('x'.repeat(1024))`, 'not the one that the origin sent'],
    ['half an answer', `(r) => (r.writeHead(200, { 'content-length': 1024 }), r.write('x'), r.destroy())`, 'closed'],
  ])('%s', async (_, answer, why) => {
    const row = await measureOne(answer)
    expect(row).toMatchObject({ proxy: 'liar', requestsPerSecond: null, cpuMicrosPerRequest: null })
    expect(row).toHaveProperty('failure', expect.stringContaining(why))
  })

  test('and is so called in the table', () => {
    const none = { requestsPerSecond: null, p50Ms: null, p99Ms: null, cpuMicrosPerRequest: null, rssBytes: null }
    const table = renderTable([
      measured('nginx', 1, 10),
      { proxy: 'liar', scenario: 'small', round: 1, ...none, failure: 'status 502' },
    ])
    expect(table).toMatch(/^liar +failed +–$/m)
    expect(table).toContain('FAILED liar, round 1: status 502')
  })
})

function measured(proxy: string, round: number, cpuMicrosPerRequest: number): Measured {
  const requestsPerSecond = 1e6 / cpuMicrosPerRequest
  return { proxy, scenario: 'small', round, requestsPerSecond, p50Ms: 1, p99Ms: 2, cpuMicrosPerRequest, rssBytes: 5e7 }
}

test('proxies are compared within a round, and the median and spread of that is told', () => {
  // The machine was half as fast in round 2 and a tenth in round 3.
  const rows = [
    ...[measured('nginx', 1, 10), measured('nginx', 2, 20), measured('nginx', 3, 100)],
    ...[measured('banyan', 3, 190), measured('banyan', 2, 50), measured('banyan', 1, 20)],
  ]
  expect(renderTable(rows)).toMatch(/^banyan .* 50\.0 +100% +50 +2\.00 \(1\.90–2\.50\)$/m)
})

test('the CPU time of a child counts, while it runs and when it has ended', async () => {
  const burn = 'const end = process.cpuUsage().user + 300_000; while (process.cpuUsage().user < end);'
  const child = `console.log(process.pid); ${burn} console.log('burnt'); process.stdin.resume()`
  const parent = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' })
    .on('exit', () => { console.log('ended'); setInterval(() => {}, 1e6) })`
  const tree = spawn(process.execPath, ['-e', parent], { stdio: ['pipe', 'pipe', 'inherit'] })
  // The child ends with its standard input.
  onTestFinished(() => void tree.stdin.end(() => tree.kill()))
  const lines = createInterface({ input: tree.stdout })[Symbol.asyncIterator]()
  const pid = Number((await lines.next()).value)
  expect((await lines.next()).value).toBe('burnt')
  const alone = usageOf(pid)
  const whole = usageOf(tree.pid ?? 0)
  expect(alone.cpuMicros).toBeGreaterThanOrEqual(250_000)
  expect(whole.cpuMicros).toBeGreaterThan(alone.cpuMicros)
  expect(whole.rssBytes).toBeGreaterThan(alone.rssBytes)
  tree.stdin.end()
  expect((await lines.next()).value).toBe('ended')
  expect(usageOf(tree.pid ?? 0).cpuMicros).toBeGreaterThanOrEqual(whole.cpuMicros)
})

test('a name that is not known is refused with those that are', () => {
  expect(() => readOptions(['--proxies', 'nginx,ngnix'])).toThrow(/no "ngnix", only nginx, haproxy/)
  expect(() => readOptions(['--scenario', 'tiny'])).toThrow(UsageError)
  expect(() => readOptions(['--seconds', '0'])).toThrow(/--seconds must be a whole number/)
})
