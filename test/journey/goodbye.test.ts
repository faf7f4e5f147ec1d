// What lasts is told that the gateway goes away.
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { startTestGateway } from '../harness/gateway.ts'
import { startOrigin } from '../harness/origin.ts'

const header = `
public: { host: 127.0.0.1, port: 0, drain: 700ms }
probes: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
`
const yaml = (url: string) => `upstreams: { monolith: { url: "${url}" } }\nunmatched: monolith\n`

test('a WebSocket is closed with 1001 before the drain cuts it', async () => {
  const origin = await startOrigin((_, response) => response.end())
  const server = new WebSocketServer({ server: origin.server })
  const gateway = await startTestGateway(yaml(origin.url), header)
  const client = new WebSocket(gateway.url.replace('http', 'ws'))
  await once(client, 'open')
  const [[code]] = await Promise.all([once(client, 'close'), gateway.gateway.drain()])
  expect(code).toBe(1001)
  server.close()
  await origin.close()
})
