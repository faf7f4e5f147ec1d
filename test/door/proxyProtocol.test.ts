// A load balancer that says on each connection whose it is, before both doors, plain and over TLS.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { places } from '../harness/places.ts'
import { exchangeBytes, openWire } from '../harness/wire.ts'
import { until } from '../state/store/stores.ts'
import { openPlace, type Place, writePieces } from './place.ts'
import { binaryHeader, textHeader } from './proxyHeaders.ts'

const trusted = 'trustedProxies: [127.0.0.1]'
const get = 'GET /a HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 203.0.113.9\r\n'
const last = `${get}Connection: close\r\n\r\n`

/** A gateway whose upstream keeps the heads that it gets. */
async function openAnnounced(keys: string): Promise<Place & { heads: string[] }> {
  const place = await openPlace(places.replace('127.0.0.1, port: 0 }', `0.0.0.0, port: 0, ${keys} }`), {
    headTimeoutMs: 1_000,
  })
  onTestFinished(() => place.close())
  const heads: string[] = []
  place.onConnection = (socket) => {
    socket.on('data', (chunk) => {
      heads.push(chunk.toString('latin1'))
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'latin1')
    })
  }
  return Object.assign(place, { heads })
}

const file = (kind: string) => join(import.meta.dirname, 'certificates', `one.${kind}`)
const tls = `tls: { certificates: [{ cert: ${file('pem')}, key: ${file('key')} }] }`

const forwardedFor = (head = '') => /x-forwarded-for: (.*)\r\n/i.exec(head)?.[1]
const refused = ({ gateway }: Place) => gateway.metric('banyan_refused_requests_total{code="proxyHeaderMissing"}')
const binary = (header: Buffer) => header.toString('latin1')

test.each([
  ['v1', textHeader('192.0.2.44')],
  ['v2', binary(binaryHeader('192.0.2.44', { more: Buffer.alloc(300, 7) }))],
])(
  'the client is whom the load balancer says (%s): upstreams and the log hear it, however the header comes',
  async (version, header) => {
    const place = await openAnnounced(`${trusted}, proxyProtocol: ${version}`)
    expect((await exchangeBytes(place.port, header + last)).received).toContain('200 OK')
    const wire = await openWire(place.port)
    await writePieces(wire, [...`${header}${get}\r\n`])
    await wire.until(/ok$/)
    wire.socket.write(`${last}`)
    await wire.closed()
    // The announced one is no trusted proxy: what it says of itself is replaced.
    expect(place.heads.map(forwardedFor)).toEqual(['192.0.2.44', '192.0.2.44', '192.0.2.44'])
    const logged = async () => (await place.gateway.log()).filter(({ msg }) => msg === 'exchange')
    await until(async () => (await logged()).length === 3)
    expect((await logged()).map(({ client }) => client)).toEqual(['192.0.2.44', '192.0.2.44', '192.0.2.44'])
    expect(await refused(place)).toBe(0)
  },
)

test.each([
  ['v2', 'for itself, as of a health check', binary(binaryHeader('192.0.2.44', { command: 0 }))],
  ['v1', 'of somebody it does not know', 'PROXY UNKNOWN\r\n'],
])(
  'a connection that the load balancer announces (%s) as %s is its own, and it vouches for nobody',
  async (version, _, header) => {
    const place = await openAnnounced(`${trusted}, proxyProtocol: ${version}`)
    expect((await exchangeBytes(place.port, header + last)).received).toContain('200 OK')
    expect(forwardedFor(place.heads[0])).toBe('127.0.0.1')
    const secured = await openAnnounced(`${trusted}, proxyProtocol: ${version}, ${tls}`)
    const socket = connect(secured.port, '127.0.0.1')
    socket.write(header, 'latin1')
    const unlocked = connectTls({ socket, rejectUnauthorized: false })
    unlocked.write(last)
    await once(unlocked.resume(), 'close')
    expect(forwardedFor(secured.heads[0])).toBe('127.0.0.1')
  },
)

test.each([
  ['no header', last],
  ['the other form', textHeader('192.0.2.44') + last],
  ['half a header, and the end', binary(binaryHeader('192.0.2.44').subarray(0, 20))],
])('%s: closed without a word, counted, and never seen by an upstream', async (what, bytes) => {
  const place = await openAnnounced(`${trusted}, proxyProtocol: v2`)
  const socket = connect(place.port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk
  })
  socket.on('error', () => {})
  socket.write(bytes, 'latin1')
  if (what.endsWith('end')) socket.end()
  await once(socket, 'close')
  expect([received, place.heads, await refused(place)]).toEqual(['', [], 1])
})

test('who says nothing for too long is let go, and so is who only looks whether anybody listens', async () => {
  const place = await openAnnounced(`${trusted}, proxyProtocol: v1`)
  const silent = await openWire(place.port)
  await silent.closed()
  expect(await refused(place)).toBe(1)
  const looking = await openWire(place.port)
  looking.socket.end()
  await looking.closed()
  expect(await refused(place)).toBe(1)
})

test('nobody but a trusted proxy says whose a connection is', async () => {
  const place = await openAnnounced('trustedProxies: [192.0.2.0/24], proxyProtocol: v1')
  const { received } = await exchangeBytes(place.port, textHeader('192.0.2.44') + last).catch(() => ({ received: '' }))
  expect([received, place.heads, await refused(place)]).toEqual(['', [], 1])
})

test('behind the header comes TLS, in the same bytes or later', async () => {
  const place = await openAnnounced(`${trusted}, proxyProtocol: v1, ${tls}`)
  for (const isApart of [true, false]) {
    const raw = connect(place.port, '127.0.0.1')
    await once(raw, 'connect')
    if (!isApart) raw.cork()
    raw.write(textHeader('2001:db8::44'))
    const socket = connectTls({ socket: raw, servername: 'one.example', rejectUnauthorized: false })
    raw.uncork()
    socket.write(last)
    await once(socket, 'data')
    socket.destroy()
  }
  expect(place.heads.map(forwardedFor)).toEqual(['2001:db8::44', '2001:db8::44'])
})

// Elsewhere than on Linux only one address is of loopback.
test.runIf(process.platform === 'linux')(
  'connections from one port of the load balancer to two addresses of ours are not taken for each other',
  async () => {
    const place = await openAnnounced(`${trusted}, proxyProtocol: v1, ${tls}`)
    const first = await announcedAt(place, '127.0.0.1', '192.0.2.1')
    const second = await announcedAt(place, '127.0.0.2', '192.0.2.2', first.localPort)
    for (const raw of [first, second]) await askBehind(raw)
    expect(place.heads.map(forwardedFor)).toEqual(['192.0.2.1', '192.0.2.2'])
  },
)

async function announcedAt({ port }: Place, host: string, client: string, localPort = 0): Promise<Socket> {
  const raw = connect({ port, host, localAddress: '127.0.0.1', localPort })
  await once(raw, 'connect')
  raw.write(textHeader(client))
  return raw
}

async function askBehind(raw: Socket): Promise<void> {
  const socket = connectTls({ socket: raw, servername: 'one.example', rejectUnauthorized: false })
  socket.write(last)
  await once(socket, 'data')
  socket.destroy()
}
