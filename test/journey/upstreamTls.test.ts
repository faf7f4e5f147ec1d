// An upstream that believes nobody but the gateway, and whom nobody but the gateway believes.
// The certificates are those of test/door/tls.test.ts; `upstream` is of 127.0.0.1.
import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createSecureServer, type Http2SecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startOrigin } from '../harness/origin.ts'

const certificates = join(import.meta.dirname, '../door/certificates')
const pemOf = (name: string) => readFile(join(certificates, name))

let folder: string
let server: Http2SecureServer
let gateway: TestGateway

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-test-'))
  await copyFile(join(certificates, 'upstream.pem'), join(folder, 'ca.pem'))
  await install('one')
  server = createSecureServer(
    {
      allowHTTP1: true,
      requestCert: true,
      cert: await pemOf('upstream.pem'),
      key: await pemOf('upstream.key'),
      ca: [await pemOf('one.pem'), await pemOf('next.pem')],
    },
    ({ httpVersion, socket, stream }, response) => {
      const { subject } = ((stream?.session?.socket ?? socket) as TLSSocket).getPeerCertificate()
      // So that each request shows what a new connection is given.
      if (httpVersion === '1.1') response.setHeader('Connection', 'close')
      response.end(`${subject.CN} over ${httpVersion}`)
      stream?.session?.close()
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  await gateway.close()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

/** The gateway's own certificate is that one from now on. */
async function install(name: string): Promise<void> {
  for (const kind of ['pem', 'key']) {
    const file = join(folder, `own.${kind}`)
    await copyFile(join(certificates, `${name}.${kind}`), `${file}.new`)
    await rename(`${file}.new`, file)
  }
}

async function start(tls: string, protocol = 'http1'): Promise<void> {
  const { port } = server.address() as AddressInfo
  gateway = await startTestGateway(`
upstreams: { m: { url: "https://127.0.0.1:${port}", protocol: ${protocol}, tls: ${tls} } }
unmatched: m
`)
}

const ca = () => `ca: ${folder}/ca.pem`
const both = () => `{ ${ca()}, cert: ${folder}/own.pem, key: ${folder}/own.key }`

async function asked(): Promise<string> {
  const response = await fetch(gateway.url)
  return `${response.status} ${await response.text()}`
}

test('who came in before an edit of the files’ names gets in with those of before', async () => {
  const asked = Promise.withResolvers<void>()
  const edited = Promise.withResolvers<void>()
  const sessions = await startOrigin(async (_, response) => {
    asked.resolve()
    await edited.promise
    response.end(JSON.stringify({ id: 'alice' }))
  })
  const { port } = server.address() as AddressInfo
  const yaml = (tls: string) => `
sessionCookie: SESSION
sessionCheck: { upstream: s, path: /me, subject: $.id }
upstreams: { s: { url: "${sessions.url}" }, m: { url: "https://127.0.0.1:${port}", tls: ${tls} } }
unmatched: s
routes: [{ name: mine, match: { path: /mine }, upstream: m, auth: { any: [session] } }]
`
  gateway = await startTestGateway(yaml(both()))
  const early = fetch(`${gateway.url}/mine`, { headers: { cookie: 'SESSION=a' } }).then((response) => response.text())
  await asked.promise
  await copyFile(join(folder, 'ca.pem'), join(folder, 'other.pem'))
  await gateway.rewrite(yaml(both().replace('ca.pem', 'other.pem')))
  edited.resolve()
  expect(await early).toBe('one over 1.1')
  await sessions.close()
})

const hints = async () => ((await (await fetch(`${gateway.adminUrl}/status`)).json()) as { hints: string[] }).hints

test.each([
  ['http1', '1.1'],
  ['h2', '2.0'],
])('over %s it is shown the gateway’s certificate, and believed by its own authority', async (protocol, version) => {
  await start(both(), protocol)
  expect(await asked()).toBe(`200 one over ${version}`)
})

test('without its authority it is not believed, and without a certificate nobody is let in', async () => {
  await start(`{ cert: ${folder}/own.pem, key: ${folder}/own.key }`)
  expect(await asked()).toMatch(/^502 .*"code":"upstreamTls"/)
  await gateway.close()
  await start(`{ ${ca()} }`)
  expect(await asked()).toMatch(/^502 /)
})

test('a certificate that is renewed is shown to it from the next connection on', async () => {
  await start(both())
  expect(await asked()).toBe('200 one over 1.1')
  await install('next')
  await gateway.line(({ msg }) => msg === 'other TLS files are in use for an upstream')
  // The key may have come behind it.
  for (let look = 0; (await asked()) !== '200 next over 1.1'; look += 1) expect(look).toBeLessThan(10_000)
  expect(await hints()).toEqual([])
})

test('files that are broken change nothing but the hints', async () => {
  await start(both())
  await writeFile(join(folder, 'own.key'), 'PRIVATE BUT BROKEN')
  const line = await gateway.line(({ msg }) => msg === 'TLS files of an upstream cannot be used')
  expect(JSON.stringify(line)).not.toContain('PRIVATE')
  expect(await hints()).toEqual([expect.stringContaining('no certificate and key that belong together')])
  expect(await asked()).toBe('200 one over 1.1')
})

test.each(['http1', 'h2'])(
  'files that are not there yet fail its requests over %s, until they are',
  async (protocol) => {
    await rename(join(folder, 'own.key'), join(folder, 'elsewhere.key'))
    await start(both(), protocol)
    expect(await asked()).toMatch(/^502 .*"code":"upstreamTls"/)
    expect(await hints()).toEqual([expect.stringMatching(/own\.key cannot be read \(ENOENT\)/)])
    await rename(join(folder, 'elsewhere.key'), join(folder, 'own.key'))
    await gateway.line(({ msg }) => msg === 'other TLS files are in use for an upstream')
    expect(await asked()).toMatch(/^200 one over/)
  },
)
