// How a process starts, and how it says that it cannot.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { Line } from '../harness/lines.ts'
import { startOrigin, startRawOrigin } from '../harness/origin.ts'
import { places } from '../harness/places.ts'
import { newFolder, runToEnd, startProcess } from '../harness/process.ts'
import { freePort } from '../redis/server.ts'

const upstream = (url: string) => `upstreams: { monolith: { url: "${url}" } }\nunmatched: monolith\n`
const isAccepted = ({ msg }: Line) => msg === 'routes.yaml accepted'
const broken = `${places}upstreams: { monolith: { ulr: "http://127.0.0.1:1" } }\nunmatched: nobody\nnonsense: 1\n`

test('a broken file without a last accepted one ends the start with all Problems', async () => {
  const folder = await newFolder(broken)
  const { code, err } = await runToEnd(folder)
  expect(code).toBe(1)
  expect(err).toContain('routes.yaml:5:26')
  expect(err).toContain('did you mean "url"?')
  expect(err).toContain('nonsense')
  expect(err).toContain('nobody')
  expect(err).toContain('nothing to serve')
  expect(err).not.toContain('    at ')
})

test('a missing file ends the start with its name', async () => {
  const folder = await newFolder()
  const { code, err } = await runToEnd(folder)
  expect(code).toBe(1)
  expect(err).toContain(join(folder, 'routes.yaml'))
  expect(err).not.toContain('    at ')
})

test('with a broken or missing file the last accepted one serves, loudly', async () => {
  const origin = await startOrigin((_, response) => response.end('served'))
  const folder = await newFolder(places + upstream(origin.url))
  const file = join(folder, 'routes.yaml')
  const first = await startProcess(folder)
  first.child.kill('SIGTERM')
  expect(await first.exited).toBe(0)
  expect(await readFile(join(folder, 'var', 'lastAccepted.yaml'), 'utf8')).toBe(await readFile(file, 'utf8'))

  await writeFile(file, broken)
  const second = await startProcess(folder)
  const line = await second.line(({ level }) => level === 'error')
  expect(line.msg).toBe('routes.yaml is broken: serving the last accepted one')
  expect(String(line.problems)).toContain('nonsense')
  expect(await (await fetch(second.url)).text()).toBe('served')
  const status = (await (await fetch(`${second.adminUrl}/status`)).json()) as { problems: unknown[] }
  expect(status.problems.length).toBeGreaterThan(0)
  // Mending the file needs no restart.
  await writeFile(file, places + upstream(origin.url))
  await second.line((line) => isAccepted(line) && second.lines.filter(isAccepted).length === 2)
  second.child.kill('SIGTERM')
  expect(await second.exited).toBe(0)

  await rm(file)
  const third = await startProcess(folder)
  await third.line(({ level }) => level === 'error')
  expect(await (await fetch(third.url)).text()).toBe('served')
  third.child.kill('SIGTERM')
  expect(await third.exited).toBe(0)
  await origin.close()
}, 120_000)

test.each(['public', 'probes', 'admin'])('a port in use for %s ends the start with one sentence', async (key) => {
  const taken = await startRawOrigin(() => {})
  const taking = places.replace(new RegExp(`(${key}: .*port: )0`), `$1${taken.port}`)
  const { code, err } = await runToEnd(await newFolder(taking + upstream('http://127.0.0.1:1')))
  expect(code).toBe(1)
  expect(err).toBe(
    `${key}: port ${taken.port} on 127.0.0.1 is in use; stop what listens there, or change ${key}.port in routes.yaml\n`,
  )
  await taken.close()
})

test('an upstream that is down does not keep the gateway from starting, and readiness says so in its body', async () => {
  const port = await freePort()
  const gateway = await startProcess(await newFolder(places + upstream(`http://127.0.0.1:${port}`)))
  const readiness = await fetch(`${gateway.probesUrl}/readyz`)
  expect(readiness.status).toBe(200)
  expect(await readiness.json()).toMatchObject({ ready: true, upstreams: [{ name: 'monolith', connects: false }] })
  const answer = await fetch(gateway.url)
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([502, 'upstreamRefused'])
  // It comes up: nothing needs to be told.
  const back = createServer((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nback'))
  })
  await new Promise<void>((resolve) => back.listen(port, '127.0.0.1', resolve))
  expect(await (await fetch(gateway.url)).text()).toBe('back')
  gateway.child.kill('SIGTERM')
  expect(await gateway.exited).toBe(0)
  back.close()
})

test('an older Node is told so in one line', async () => {
  const older = ['/usr/bin/node', '/usr/local/bin/node'].filter(existsSync)
  const pretended = `data:text/javascript,${encodeURIComponent(
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })",
  )}`
  const script = new URL('../../bin/banyan.js', import.meta.url).pathname
  const runs = [[process.execPath, '--import', pretended, script], ...older.map((node) => [node, script])]
  let refused = 0
  for (const [node = '', ...args] of runs) {
    const ended = await promisify(execFile)(node, [...args, '--version']).catch((error) => error)
    if (ended.code === undefined) continue
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/^banyan needs Node 24 or newer, .*\n$/) })
    refused += 1
  }
  expect(refused).toBeGreaterThan(0)
})
