// Faults on demand: each breaks the answer in its own way, and the ledger tells what ran.
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startMonolith } from '../../legacy-mock/monolith.ts'
import { Faults, noFaults, readFaults } from '../../services/kit/faults.ts'
import type { Running } from '../../services/kit/server.ts'
import { askBytes, awaitEntry, openSocket, readToEnd, setFaults } from './ask.ts'

describe('the draw', () => {
  const row = (seed: number) => {
    const faults = new Faults()
    faults.set({ ...noFaults, errorShare: 0.2, hangShare: 0.1, resetShare: 0.1, truncateShare: 0.1, seed })
    return Array.from({ length: 2000 }, () => faults.draw('/x').fault ?? 'none')
  }

  test('is the same for the same seed and another for another', () => {
    expect(row(7)).toEqual(row(7))
    expect(row(7)).not.toEqual(row(8))
  })

  test('meets the shares', () => {
    const drawn = row(7)
    const shareOf = (kind: string) => drawn.filter((one) => one === kind).length / drawn.length
    expect(shareOf('error')).toBeCloseTo(0.2, 1)
    expect(shareOf('truncate')).toBeCloseTo(0.1, 1)
    expect(shareOf('none')).toBeCloseTo(0.5, 1)
  })

  test('concerns a path with all below it, and no other', () => {
    const faults = new Faults()
    faults.set({ ...noFaults, errorShare: 1, paths: ['/api/search'] })
    const fates = ['/api/search', '/api/search/x', '/api/searches', '/'].map((path) => faults.draw(path).fault)
    expect(fates).toEqual(['error', 'error', undefined, undefined])
  })
})

describe('the settings', () => {
  test.each([
    [{ errorShar: 1 }, /unknown key "errorShar"; known are errorShare,/],
    [{ constructor: 1 }, /unknown key "constructor"/],
    [{ errorShare: 1.5 }, /errorShare must be a number from 0 to 1/],
    [{ errorShare: 0.6, hangShare: 0.6 }, /together must not exceed 1/],
    [{ delayMs: -1 }, /delayMs must be whole milliseconds/],
    [{ paths: ['api'] }, /paths must be a list of paths that begin with/],
    [[], /must be a JSON object/],
  ])('%j is refused with a reason', (wish, reason) => {
    expect(readFaults(wish)).toMatch(reason)
  })
})

describe('a faulted system', () => {
  let monolith: Running
  beforeAll(async () => {
    monolith = await startMonolith({ port: 0 })
  })
  afterAll(() => monolith.stop())
  afterEach(() => fetch(`${monolith.url}/_ops/faults`, { method: 'DELETE' }))

  const path = '/api/shipments?size=50'
  const ask = (id: string) => askBytes(monolith.url, path, [`X-Request-Id: ${id}`])

  test('takes settings by PUT, tells them by GET and forgets them by DELETE', async () => {
    const read = async () => (await fetch(`${monolith.url}/_ops/faults`)).json()
    expect((await setFaults(monolith.url, { errorShare: 0.5, seed: 9 })).status).toBe(200)
    expect(await read()).toEqual({ ...noFaults, errorShare: 0.5, seed: 9 })
    const refused = await setFaults(monolith.url, { speed: 1 })
    expect([refused.status, await refused.json()]).toEqual([400, { error: expect.stringContaining('"speed"') }])
    await fetch(`${monolith.url}/_ops/faults`, { method: 'DELETE' })
    expect(await read()).toEqual(noFaults)
  })

  test('answers 500 for an error, and stays healthy for its operators', async () => {
    await setFaults(monolith.url, { errorShare: 1 })
    expect(await ask('error')).toMatch(/^HTTP\/1.1 500 /)
    await awaitEntry(monolith.url, 'error', { state: 'answered', status: 500 })
    expect((await fetch(`${monolith.url}/healthz`)).status).toBe(200)
  })

  test('does not run what it answers with an error', async () => {
    const total = async () => ((await (await fetch(`${monolith.url}${path}`)).json()) as { total: number }).total
    const before = await total()
    await setFaults(monolith.url, { errorShare: 1 })
    await fetch(`${monolith.url}/api/shipments/1`, { method: 'DELETE' })
    await fetch(`${monolith.url}/_ops/faults`, { method: 'DELETE' })
    expect(await total()).toBe(before)
  })

  test('hangs until the client leaves', async () => {
    await setFaults(monolith.url, { hangShare: 1 })
    const socket = await openSocket(monolith.url)
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: hang\r\n\r\n')
    await awaitEntry(monolith.url, 'hang', { state: 'running', status: null })
    socket.destroy()
    await awaitEntry(monolith.url, 'hang', { state: 'aborted', status: null })
  })

  test('resets the connection before any byte', async () => {
    await setFaults(monolith.url, { resetShare: 1 })
    await expect(ask('reset')).rejects.toMatchObject({ code: 'ECONNRESET' })
    await awaitEntry(monolith.url, 'reset', { state: 'aborted', status: null })
  })

  test('truncates in the middle of a body whose length it has announced', async () => {
    await setFaults(monolith.url, { truncateShare: 1 })
    const [head = '', body = ''] = (await ask('truncated')).split('\r\n\r\n')
    const announced = Number(/Content-Length: (\d+)/.exec(head)?.[1])
    expect(body.length).toBe(Math.ceil(announced / 2))
    await awaitEntry(monolith.url, 'truncated', { state: 'aborted', status: 200 })
  })

  test('truncates a download from a file too', async () => {
    await setFaults(monolith.url, { truncateShare: 1 })
    const got = await askBytes(monolith.url, '/api/documents/doc-6', ['X-Request-Id: cut'])
    expect(got.length).toBeGreaterThan(1000)
    expect(got.length).toBeLessThan(262_144)
    await awaitEntry(monolith.url, 'cut', { state: 'aborted', status: 200 })
  })

  test('truncates a WebSocket handshake by resetting it, and lives on', async () => {
    await setFaults(monolith.url, { truncateShare: 1 })
    const socket = await openSocket(monolith.url)
    const fields = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nX-Request-Id: ws'
    socket.write(`GET /live HTTP/1.1\r\nHost: x\r\n${fields}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`)
    await expect(readToEnd(socket)).rejects.toMatchObject({ code: 'ECONNRESET' })
    await awaitEntry(monolith.url, 'ws', { state: 'aborted', status: null })
  })

  test('delivers a slow body late but whole', async () => {
    const sha256 = async () => {
      const answer = await fetch(`${monolith.url}/api/documents/doc-6`)
      const bytes = await answer.arrayBuffer()
      return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex')
    }
    const expected = await sha256()
    await setFaults(monolith.url, { slowBodyMs: 60, paths: ['/api/documents'] })
    const startedAt = performance.now()
    expect(await sha256()).toBe(expected)
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(55)
  })

  test('delays what ?delay= asks it to', async () => {
    const startedAt = performance.now()
    await (await fetch(`${monolith.url}/odd/204?delay=80`)).text()
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(75)
  })

  test('counts what it has done', async () => {
    const text = await (await fetch(`${monolith.url}/_ops/metrics`)).text()
    expect(text).toMatch(/^freight_faults_total\{service="monolith",kind="reset"\} 1$/m)
    expect(text).toMatch(/^freight_answers_total\{service="monolith",status="5xx"\} \d+$/m)
  })

  test('ends what hangs when it stops', async () => {
    const passing = await startMonolith({ port: 0 })
    await setFaults(passing.url, { hangShare: 1 })
    const socket = await openSocket(passing.url)
    const closed = once(socket, 'close')
    socket.on('error', () => {})
    socket.resume()
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: hang\r\n\r\n')
    await awaitEntry(passing.url, 'hang', { state: 'running' })
    await passing.stop()
    await closed
    await expect(fetch(passing.url)).rejects.toThrow()
  })
})
