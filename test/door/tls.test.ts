// TLS at the door for clients. The certificates were made with
//   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=NAME -addext subjectAltName=DNS:…
// `two` holds two.example and *.wild.example; `next` is of one.example, and is to follow `one`.
import { copyFile, mkdtemp, readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openGateway } from '../../gateway/main.ts'
import { places } from '../harness/places.ts'
import { exchangeBytes, openTlsWire, openWire } from '../harness/wire.ts'
import { answerOf, openPlace, type Place } from './place.ts'

const certificates = join(import.meta.dirname, 'certificates')
const host = 'Host: one.example\r\n'

let folder: string
let place: Place

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-test-'))
  for (const name of ['one', 'two']) await install(name, name)
  place = await openPlace(withTls(), { headTimeoutMs: 1_000 })
})
afterEach(() => place.close())

function withTls(): string {
  const pairs = ['one', 'two'].map((name) => `{ cert: ${join(folder, name)}.pem, key: ${join(folder, name)}.key }`)
  return places.replace('port: 0 }', `port: 0, tls: { certificates: [${pairs.join(', ')}] } }`)
}

/** As a tool that renews certificates does it: written beside, and renamed. */
async function install(source: string, name: string, kinds = ['pem', 'key']): Promise<void> {
  for (const kind of kinds) {
    const file = join(folder, `${name}.${kind}`)
    await copyFile(join(certificates, `${source}.${kind}`), `${file}.new`)
    await rename(`${file}.new`, file)
  }
}

async function shownFor(servername: string): Promise<string> {
  const { socket } = await openTlsWire(place.port, servername)
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return String(subject.CN)
}

const hints = async () =>
  ((await (await fetch(`${place.gateway.adminUrl}/status`)).json()) as { hints: string[] }).hints

test('a request over TLS is answered, and the upstream is told that it came so', async () => {
  let head = ''
  place.onConnection = (socket) => {
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1')
      socket.write(answerOf('answered'), 'latin1')
    })
  }
  const wire = await openTlsWire(place.port, 'one.example', `GET /a HTTP/1.1\r\n${host}\r\n`)
  await wire.until(/answered$/)
  expect(wire.socket.alpnProtocol).toBe('http/1.1')
  expect(head).toMatch(/\r\nX-Forwarded-Proto: https\r\n/)
  wire.socket.destroy()
})

test('many requests, pipelined and with bodies, pass on one connection', async () => {
  const wire = await openTlsWire(place.port, 'one.example')
  const post = (i: number) => `POST /${i} HTTP/1.1\r\n${host}Content-Length: 4\r\n\r\nbody`
  wire.socket.write(Array.from({ length: 50 }, (_, i) => post(i)).join(''), 'latin1')
  const received = await wire.until(/\/49body$/)
  expect(received.match(/\/\d+body/g)).toEqual(Array.from({ length: 50 }, (_, i) => `/${i}body`))
  wire.socket.destroy()
})

test('an upgrade becomes a tunnel', async () => {
  place.onConnection = (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n')
      socket.on('data', (chunk) => socket.write(chunk))
    })
  }
  const upgrade = `GET /ws HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: echo\r\n\r\n`
  const wire = await openTlsWire(place.port, 'one.example', upgrade)
  await wire.until(/ 101 /)
  wire.socket.write('there and back')
  await wire.until(/there and back$/)
  wire.socket.destroy()
})

test.each([
  ['one.example', 'one'],
  ['two.example', 'two'],
  ['TWO.Example', 'two'],
  ['shop.wild.example', 'two'],
  ['elsewhere.example', 'one'],
  ['', 'one'],
])('a client that asks for %j is shown the certificate %s', async (asked, shown) => {
  expect(await shownFor(asked)).toBe(shown)
})

test('a new certificate is shown to who comes next, and who is there stays', async () => {
  const before = await openTlsWire(place.port, 'one.example', `GET /a HTTP/1.1\r\n${host}\r\n`)
  await before.until(/\/a$/)
  await install('next', 'one')
  await place.gateway.line(({ msg }) => msg === 'another certificate is in use')
  expect(await shownFor('one.example')).toBe('next')
  expect(await shownFor('')).toBe('next')
  before.socket.write(`GET /b HTTP/1.1\r\n${host}\r\n`)
  await before.until(/\/b$/)
  before.socket.destroy()
})

test('half a change is not taken, and told; the other half makes it whole', async () => {
  await install('next', 'one', ['pem'])
  await place.gateway.line(({ msg }) => msg === 'the certificate before stays in use')
  expect(await hints()).toEqual([expect.stringContaining('is not that of the certificate in')])
  expect(await shownFor('one.example')).toBe('one')
  await install('next', 'one', ['key'])
  await place.gateway.line(({ msg }) => msg === 'another certificate is in use')
  expect(await hints()).toEqual([])
  expect(await shownFor('one.example')).toBe('next')
})

test('a certificate that is no more stays in use', async () => {
  await writeFile(join(folder, 'two.pem'), 'nothing')
  const line = await place.gateway.line(({ msg }) => msg === 'the certificate before stays in use')
  expect(line).toMatchObject({ reason: expect.stringContaining('are no certificate and key') })
  expect(await shownFor('two.example')).toBe('two')
})

const refusedHandshakes = () => place.gateway.metric('banyan_refused_requests_total{code="tlsHandshakeFailed"}')

test('a request without TLS is no request, and counted', async () => {
  const { received } = await exchangeBytes(place.port, `GET / HTTP/1.1\r\n${host}\r\n`)
  expect(received).not.toContain('HTTP/1.1')
  expect(await refusedHandshakes()).toBe(1)
})

test('who comes and says nothing is sent away', async () => {
  await exchangeBytes(place.port, '')
  expect(await refusedHandshakes()).toBe(1)
  expect(await shownFor('one.example')).toBe('one')
})

test('a drain waits for the answer under way, and ends', async () => {
  let answer = () => {}
  const asked = new Promise<void>((resolve) => {
    place.onConnection = (socket) => {
      answer = () => socket.write(answerOf('at last'), 'latin1')
      socket.once('data', () => resolve())
    }
  })
  const idle = await openTlsWire(place.port, 'one.example')
  const wire = await openTlsWire(place.port, 'one.example', `GET /slow HTTP/1.1\r\n${host}\r\n`)
  await asked
  const drained = place.gateway.gateway.drain()
  await idle.closed()
  answer()
  expect((await wire.closed()).received).toMatch(/at last$/)
  await drained
})

test('a drain does not wait for who was connected ahead and has said nothing', async () => {
  const patient = await openPlace(withTls(), { headTimeoutMs: 600_000 })
  const silent = await openWire(patient.port)
  await patient.gateway.gateway.drain()
  await silent.closed()
  await patient.close()
})

test('without its key a gateway does not start, and says why', async () => {
  const configFile = join(folder, 'routes.yaml')
  const pair = `{ cert: ${join(certificates, 'one.pem')}, key: nowhere.key }`
  const listeners = places.replace('port: 0 }', `port: 0, tls: { certificates: [${pair}] } }`)
  await writeFile(configFile, `${listeners}upstreams: { m: { url: "http://127.0.0.1:1" } }\nunmatched: m\n`)
  const opened = await openGateway({ configFile, env: {}, stdout: join(folder, 'out.log') })
  expect(opened).toEqual({
    ok: false,
    reason: `public.tls: ${join(folder, 'nowhere.key')} cannot be read (ENOENT); check its path and permissions`,
  })
})

test('no key is ever written anywhere', async () => {
  await writeFile(join(folder, 'one.key'), 'PRIVATE BUT BROKEN')
  await place.gateway.line(({ msg }) => msg === 'the certificate before stays in use')
  const log = await readFile(join(place.gateway.folder, 'out.log'), 'utf8')
  const status = await (await fetch(`${place.gateway.adminUrl}/status`)).text()
  expect(`${log}${status}`).not.toMatch(/PRIVATE/)
})
