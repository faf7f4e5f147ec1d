// The end of a process, as its clients, its load balancer and its operator see it.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Origin, startOrigin } from '../harness/origin.ts'
import { places } from '../harness/places.ts'
import { type GatewayProcess, newFolder, startProcess } from '../harness/process.ts'
import { openWire } from '../harness/wire.ts'

let origin: Origin
const held: ServerResponse[] = []

beforeAll(async () => {
  origin = await startOrigin((request, response) => {
    if (request.url === '/events') response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
    else if (request.url === '/held') held.push(response)
    else response.end('quick')
  })
})

afterAll(() => origin.close())

async function start(drain: string): Promise<GatewayProcess> {
  const folder = await newFolder(
    `${places.replace('port: 0', `port: 0, drain: ${drain}`)}upstreams: { monolith: { url: "${origin.url}" } }\nunmatched: monolith\n`,
  )
  return startProcess(folder)
}

async function heldRequest(gateway: GatewayProcess) {
  const before = held.length
  const wire = await openWire(gateway.port, 'GET /held HTTP/1.1\r\nHost: h\r\n\r\n')
  while (held.length === before) await new Promise((resolve) => setImmediate(resolve))
  return { wire, finish: () => held[before]?.end('finished') }
}

const quick = 'GET /quick HTTP/1.1\r\nHost: h\r\n\r\n'

test('after SIGTERM what was accepted is answered, what is idle is closed, and the process ends with 0', async () => {
  const gateway = await start('20s')
  const { wire: busy, finish } = await heldRequest(gateway)
  const idle = await openWire(gateway.port, quick)
  await idle.until(/quick$/)
  const reused = await openWire(gateway.port, quick)
  await reused.until(/quick$/)
  expect((await fetch(`${gateway.probesUrl}/readyz`)).status).toBe(200)

  gateway.child.kill('SIGTERM')
  await gateway.line(({ msg }) => msg === 'draining')
  const readiness = await fetch(`${gateway.probesUrl}/readyz`)
  expect([readiness.status, ((await readiness.json()) as { why: string }).why]).toEqual([503, 'draining'])
  expect((await fetch(`${gateway.probesUrl}/healthz`)).status).toBe(200)

  // Still within the time in which a load balancer does not know yet: old and new connections are served.
  reused.socket.write(quick)
  const last = await reused.closed()
  expect(last.isClean).toBe(true)
  expect(last.received.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
  expect(last.received).toMatch(/Connection: close\r\n[\s\S]*quick$/)
  const late = await (await openWire(gateway.port, quick)).closed()
  expect(late).toMatchObject({ isClean: true, received: expect.stringMatching(/^HTTP\/1\.1 200 OK[\s\S]*quick$/) })

  expect(await idle.closed()).toMatchObject({ isClean: true, received: expect.stringMatching(/quick$/) })
  finish()
  expect(await busy.closed()).toMatchObject({ isClean: true, received: expect.stringMatching(/finished$/) })
  expect(await gateway.exited).toBe(0)
  expect(gateway.lines.at(-1)).toMatchObject({ msg: 'stopped' })
})

test('an event stream lives until the deadline and is then cut', async () => {
  const gateway = await start('1s')
  const wire = await openWire(gateway.port, 'GET /events HTTP/1.1\r\nHost: h\r\n\r\n')
  await wire.until(/text\/event-stream/)
  const startedAt = performance.now()
  gateway.child.kill('SIGTERM')
  const { received } = await wire.closed()
  expect(performance.now() - startedAt).toBeGreaterThan(800)
  expect(received).not.toMatch(/0\r\n\r\n$/)
  expect(await gateway.exited).toBe(0)
})

test('no request is lost while clients keep coming before the door is shut', async () => {
  const gateway = await start('20s')
  let answered = 0
  let enough = Number.POSITIVE_INFINITY
  async function client(): Promise<void> {
    while (answered < enough) {
      const wire = await openWire(gateway.port, quick.replace('Host', 'Connection: close\r\nHost'))
      const { received, isClean } = await wire.closed()
      expect({ isClean, received }).toEqual({ isClean: true, received: expect.stringMatching(/quick$/) })
      answered += 1
    }
  }
  const clients = Array.from({ length: 4 }, client)
  gateway.child.kill('SIGTERM')
  await gateway.line(({ msg }) => msg === 'draining')
  enough = answered + 40
  await Promise.all(clients)
  expect(await gateway.exited).toBe(0)
})

test('connections to the probe and admin listeners do not hold up the end', async () => {
  const gateway = await start('20s')
  for (const url of [gateway.probesUrl, gateway.adminUrl]) {
    await openWire(Number(new URL(url).port))
    await openWire(Number(new URL(url).port), 'GET /healthz HTTP/1.1\r\nHost: ')
  }
  const startedAt = performance.now()
  gateway.child.kill('SIGTERM')
  expect(await gateway.exited).toBe(0)
  expect(performance.now() - startedAt).toBeLessThan(18_000)
})

test('the second signal ends at once', async () => {
  const gateway = await start('60s')
  const { wire } = await heldRequest(gateway)
  gateway.child.kill('SIGTERM')
  await gateway.line(({ msg }) => msg === 'draining')
  gateway.child.kill('SIGINT')
  expect(await gateway.exited).toBe(1)
  await wire.closed()
})

test('SIGINT drains as SIGTERM does', async () => {
  const gateway = await start('60s')
  gateway.child.kill('SIGINT')
  const [code] = await once(gateway.child, 'exit')
  expect(code).toBe(0)
})
