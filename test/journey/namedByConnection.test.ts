// A client that names fields in `Connection` has them end at this hop (RFC 9110 §7.6.1): its own, and none that the gateway writes.
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { type Origin, startOrigin } from '../harness/origin.ts'
import { places } from '../harness/places.ts'
import { exchangeBytes } from '../harness/wire.ts'

let origin: Origin
let gateway: TestGateway

beforeAll(async () => {
  origin = await startOrigin(async (request, response) => {
    await text(request)
    response.end(JSON.stringify(request.headers))
  })
  gateway = await startTestGateway(
    `
upstreams:
  m: { url: "${origin.url}" }
  known: { url: "${origin.url}", secret: { from: ["\${SECRET}"] } }
  told: { url: "${origin.url}", internalToken: true }
unmatched: m
routes:
  - { name: known, match: { path: /known }, upstream: known }
  - { name: told, match: { path: /told }, upstream: told }
  - name: set
    match: { path: /set }
    move: { to: known, stage: live, rewrite: { request: { set: { x-origin: ours } } } }
`,
    places,
    { env: { BANYAN_DOOR: process.env.BANYAN_DOOR, SECRET: 'ours' } },
  )
})
afterAll(async () => {
  await gateway.close()
  await origin.close()
})

/** What the upstream gets of a request whose `Connection` names that field, of which the client sends one of its own. */
async function seenOf(path: string, named: string): Promise<Record<string, string>> {
  const fields = `Host: a\r\nConnection: close, ${named}\r\n${named}: the client's\r\n`
  const { received } = await exchangeBytes(gateway.port, `GET ${path} HTTP/1.1\r\n${fields}\r\n`)
  return JSON.parse(received.slice(received.indexOf('{'), received.lastIndexOf('}') + 1))
}

test.each([
  ['/known', 'authorization', /^Bearer ours$/],
  ['/told', 'banyan-token', /^eyJ/],
  ['/set', 'x-origin', /^ours$/],
  ['/known', 'x-forwarded-for', /^127\.0\.0\.1$/],
])('at %s nobody has the gateway leave out its own %s', async (path, field, value) => {
  expect((await seenOf(path, field))[field]).toMatch(value)
})

test.each(['authorization', 'banyan-token', 'x-origin'])('elsewhere a named %s goes no further', async (field) => {
  expect(await seenOf('/elsewhere', field)).not.toHaveProperty(field)
})
