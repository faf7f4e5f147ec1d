import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rename } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { listen } from '../ops/world.ts'
import { newFolder } from './banyan.ts'

const folder = await newFolder()
const script = new URL('../../bin/banyan.js', import.meta.url).pathname
const running: ChildProcess[] = []
let upstream: { port: number }

beforeAll(async () => {
  const server = await listen((incoming, answer) => {
    answer.setHeader('x-got', incoming.url ?? '')
    answer.end('hello')
  })
  upstream = server
  return () => server.close()
})
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

function configOf(more = ''): string {
  return `public: { host: 127.0.0.1, port: 0, drain: 1s }
probes: { host: 127.0.0.1, port: 0 }
admin: { port: 0 }
stateDir: ./var
${more}
upstreams:
  monolith: { url: "http://127.0.0.1:${upstream.port}" }
unmatched: monolith
`
}

interface Urls {
  readonly public: string
  readonly admin: string
  readonly probes: string
}

/** A gateway as an operator starts it, once it listens. */
async function start(config: string) {
  const child = spawn(process.execPath, [script, 'run', '--config', config], {
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.push(child)
  const urls = await firstLine(child.stdout, 'listening')
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>
  return { child, ended, urls: urls as unknown as Urls }
}

async function firstLine(stream: Readable, msg: string): Promise<Record<string, unknown>> {
  for await (const line of createInterface({ input: stream })) {
    const found = JSON.parse(line)
    if (found.msg === msg) return found
  }
  throw new Error(`no line "${msg}"`)
}

async function untilRead(file: string, wanted: string): Promise<string> {
  for (let i = 0; i < 100_000; i += 1) {
    const text = await readFile(file, 'utf8').catch(() => '')
    if (text.includes(wanted)) return text
  }
  throw new Error(`${file} never had ${wanted}`)
}

test('a gateway that runs is asked by status and why, rotates its log on SIGHUP and ends with 0 on SIGTERM', async () => {
  const config = await folder.write('run.yaml', configOf('accessLog: { file: access.log }'))
  const { child, ended, urls } = await start(config)
  const get = (id: string) => fetch(`${urls.public}/page?token=sekret`, { headers: { 'x-request-id': id } })
  expect(await (await get('req-before-1')).text()).toBe('hello')
  const log = `${folder.path}/access.log`
  expect(await untilRead(log, 'req-before-1')).not.toContain('sekret')

  const status = await folder.banyan(['status', '--admin', urls.admin])
  expect(status.code).toBe(0)
  expect(status.out).toMatch(/^unmatched .* 1 +0$/m)
  const why = await folder.banyan(['why', 'req-before-1', '--config', config])
  expect([why.code, why.out.includes('no route names it')]).toEqual([0, true])
  expect((await fetch(`${urls.probes}/readyz`)).status).toBe(200)
  const through = await fetch(`${urls.admin}/upstreams/monolith/health?x=1`)
  expect(through.headers.get('x-got')).toBe('/health?x=1')

  await rename(log, `${log}.1`)
  child.kill('SIGHUP')
  await untilRead(log, '')
  await get('req-after-1')
  await untilRead(log, 'req-after-1')
  await get('req-last-1')
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  expect(await readFile(log, 'utf8')).toContain('req-last-1')
})

test('a reader of stdout that stopped reading holds up neither requests nor the exit', async () => {
  const config = await folder.write('stalled.yaml', configOf('accessLog: stdout'))
  const { child, ended, urls } = await start(config)
  child.stdout?.pause()
  const path = `/${'a'.repeat(1000)}`
  for (let i = 0; i < 600; i += 1) {
    const answer = await fetch(`${urls.public}${path}`)
    expect(await answer.text()).toBe('hello')
  }
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})
