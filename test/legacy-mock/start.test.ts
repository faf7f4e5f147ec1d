// The three systems as processes: one line, health, a clean end; and books that outlive a restart.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { startMonolith } from '../../legacy-mock/monolith.ts'
import { makeFreight } from '../../services/kit/seed.ts'

const started: ChildProcess[] = []
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

function run(main: string, ...options: readonly string[]) {
  const child = spawn(process.execPath, [main, ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
  started.push(child)
  return child
}

describe('a process', () => {
  test.each([
    ['legacy-mock/main.ts', 'monolith', 'SIGTERM'],
    ['services/search/main.ts', 'search', 'SIGINT'],
    ['services/ai/main.ts', 'ai', 'SIGTERM'],
  ] as const)('%s says one line, is healthy, and exits 0 on a signal', async (main, name, signal) => {
    const child = run(main, '--port', '0')
    const lines = createInterface(child.stdout)
    const [line] = (await once(lines, 'line')) as [string]
    expect(line).toMatch(new RegExp(`^${name} listening on http://127\\.0\\.0\\.1:\\d+$`))
    const health = await fetch(`${line.split(' ').at(-1)}/healthz`)
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }])
    const exited = once(child, 'exit')
    child.kill(signal)
    expect(await exited).toEqual([0, null])
  })

  test('lets a request in flight end before it goes', async () => {
    const child = run('legacy-mock/main.ts', '--port', '0')
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    const url = line.split(' ').at(-1) ?? ''
    const answer = fetch(`${url}/odd/reason?delay=300`, { headers: { 'X-Request-Id': 'late' } })
    while (!(await (await fetch(`${url}/_ops/ledger`)).text()).includes('"late"'));
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const { headers } = await answer
    expect([headers.get('connection'), await (await answer).text()]).toEqual(['close', 'loaded\n'])
    expect(await exited).toEqual([0, null])
  })

  test.each([
    [['--prot', '1'], /--prot/],
    [['--port', '70000'], /--port must be from 0 to 65535/],
    [['--issuers', 'banyan'], /--issuers must be NAME=URL/],
    [['--audience', 'search'], /--audience needs --issuers/],
  ])('with %j exits 2 and says why', async (options, reason) => {
    const child = run('services/search/main.ts', ...options)
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect([code, said]).toEqual([2, expect.stringMatching(reason)])
  })

  test.each([
    ['services/search/main.ts', '/api/search?q=tea'],
    ['services/ai/main.ts', '/api/documents/doc-1/summary'],
  ])('%s that is told whom to trust refuses who shows nothing', async (main, path) => {
    const child = run(main, '--port', '0', '--issuers', 'banyan=http://127.0.0.1:1/jwks.json')
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    expect((await fetch(`${line.split(' ').at(-1)}${path}`)).status).toBe(401)
  })

  test('the monolith trusts nobody: it has no such option', async () => {
    const child = run('legacy-mock/main.ts', '--port', '0', '--issuers', 'banyan=http://127.0.0.1:1/jwks.json')
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect([code, said]).toEqual([2, expect.stringContaining('--issuers')])
  })

  test('on a port in use exits 1 and says so', async () => {
    const monolith = await startMonolith({ port: 0 })
    const child = run('services/search/main.ts', '--port', String(monolith.port))
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect([code, said]).toEqual([1, expect.stringContaining('EADDRINUSE')])
    await monolith.stop()
  })
})

test('a data folder keeps what was booked, a restart does not write the first day over it', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'start-test-'))
  const first = await startMonolith({ port: 0, dataDir })
  await fetch(`${first.url}/api/shipments/1`, { method: 'DELETE' })
  await first.stop()
  const second = await startMonolith({ port: 0, dataDir })
  const gone = await fetch(`${second.url}/api/shipments/1`)
  const documents = (await (await fetch(`${second.url}/api/documents`)).json()) as { total: number }
  expect([gone.status, documents.total]).toEqual([404, 6])
  await second.stop()
  await rm(dataDir, { recursive: true })
})

test('the first day is the same every time, and another for another seed', () => {
  expect(makeFreight()).toEqual(makeFreight())
  expect(makeFreight(2).shipments).not.toEqual(makeFreight(3).shipments)
})
