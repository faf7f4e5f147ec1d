// Where connections lead: certificates, names, addresses.
import type { lookup as systemLookup } from 'node:dns'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createResolver } from '../../gateway/forward/resolve.ts'
import type { Target, Upstream } from '../../gateway/model.ts'
import { startOrigin, startRawOrigin } from '../harness/origin.ts'
import { openWorld, resultOf, upstreamTo, type World } from './world.ts'

let world: World
const names: (string | false)[] = []
const server = createServer((request, response) => {
  names.push((request.socket as TLSSocket).servername ?? '')
  response.end(`${(request.socket as TLSSocket).alpnProtocol}`)
})

beforeAll(async () => {
  const pem = await readFile(new URL('../ops/self-signed.pem', import.meta.url))
  server.setSecureContext({ key: pem, cert: pem })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

beforeEach(() => {
  world = openWorld()
})

afterEach(() => world.pools.destroy())

function secure(over: Partial<Target>): Upstream {
  const upstream = upstreamTo((server.address() as AddressInfo).port, {}, 'https')
  return { ...upstream, target: { ...upstream.target, ...over } }
}

test('a certificate that nobody vouches for is refused, unsent, unless the file says otherwise', async () => {
  const fields = { raw: ['Host', 'public.example'] }
  expect(await resultOf(world.ask(secure({ verify: true }), fields))).toBe('upstreamTls by upstream, unsent')
  expect(await resultOf(world.ask(secure({ verify: false }), fields))).toBe('200 http/1.1')
  // And what was let through unverified is no way round the check.
  expect(await resultOf(world.ask(secure({ verify: true }), fields))).toBe('upstreamTls by upstream, unsent')
})

test('the name asked for is the target’s, whatever Host the client sends; an address is none', async () => {
  names.length = 0
  const fields = { raw: ['Host', 'public.example'] }
  const named = secure({ verify: false, host: 'localhost' })
  await resultOf(world.ask({ ...named, target: { ...named.target, origin: 'https://localhost' } }, fields))
  await resultOf(world.ask(secure({ verify: false }), fields))
  expect(names).toEqual(['localhost', false])
})

test('a server that ends the connection during the handshake, or speaks no TLS, is no upstream', async () => {
  const ending = await startRawOrigin((socket) => socket.end())
  const plain = await startRawOrigin((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  expect(await resultOf(world.ask(upstreamTo(ending.port, {}, 'https')))).toBe('upstreamReset by upstream, unsent')
  expect(await resultOf(world.ask(upstreamTo(plain.port, {}, 'https')))).toBe('upstreamTls by upstream, unsent')
  await Promise.all([ending.close(), plain.close()])
})

test('a server that speaks HTTP/2 alone is not spoken to in HTTP/1.1', async () => {
  const pem = await readFile(new URL('../ops/self-signed.pem', import.meta.url))
  const strict = createTlsServer({ key: pem, cert: pem, ALPNProtocols: ['h2'] })
  await new Promise<void>((resolve) => strict.listen(0, '127.0.0.1', resolve))
  const upstream = upstreamTo((strict.address() as AddressInfo).port, {}, 'https')
  expect(await resultOf(world.ask(upstream))).toBe('upstreamTls by upstream, unsent')
  strict.close()
})

test('a name is looked up for every connection, and the last good address serves while the name server fails', async () => {
  const origin = await startOrigin((_, response) => response.setHeader('Connection', 'close').end('here'))
  const asked: string[] = []
  let answers: Error | string = '127.0.0.1'
  const lookup = ((name: string, _: object, callback: (...found: unknown[]) => void) => {
    asked.push(name)
    if (typeof answers === 'string') callback(null, [{ address: answers, family: 4 }])
    else callback(answers)
  }) as unknown as typeof systemLookup
  const moved = openWorld(createResolver(lookup))
  const upstream = upstreamTo(origin.port)
  const named = { ...upstream, target: { ...upstream.target, host: 'old.example' } }
  const failing = Object.assign(new Error('no'), { code: 'EAI_AGAIN' })

  answers = failing
  expect(await resultOf(moved.ask(named))).toBe('upstreamUnresolved by upstream, unsent')
  answers = '127.0.0.1'
  expect(await resultOf(moved.ask(named))).toBe('200 here')
  answers = failing
  expect(await resultOf(moved.ask(named))).toBe('200 here')
  // Moved to where nobody listens.
  answers = '127.0.0.2'
  expect(await resultOf(moved.ask({ ...named, connectMs: 1_000 }))).toBe('upstreamRefused by upstream, unsent')
  expect(asked).toEqual(Array(4).fill('old.example'))
  moved.pools.destroy()
  await origin.close()
})

test('the system’s own look-up serves as it is', async () => {
  const origin = await startOrigin((_, response) => response.end('here'))
  const upstream = upstreamTo(origin.port)
  const named = { ...upstream, target: { ...upstream.target, host: 'localhost' } }
  expect(await resultOf(world.ask(named))).toBe('200 here')
  await origin.close()
})
