// An upgrade that stays in HTTP is a way past the gateway: all that follows would be seen by no Route and no filter.
import { expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { startScriptedOrigin } from '../harness/origin.ts'
import { exchangeBytes } from '../harness/wire.ts'

test.each(['h2c', 'H2C', 'websocket, h2c', 'TLS/1.2', 'HTTP/2.0'])(
  'an offer of %s reaches no upstream',
  async (offer) => {
    const origin = await startScriptedOrigin((socket, head) => {
      const accepted = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nsmuggled'
      socket.write(/upgrade/i.test(head) ? accepted : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
    const gateway = await startTestGateway(`upstreams: { monolith: { url: "${origin.url}" } }\nunmatched: monolith\n`)
    const { received } = await exchangeBytes(
      gateway.port,
      `GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: ${offer}\r\nHTTP2-Settings: AA\r\n\r\n`,
    )
    expect(received).toMatch(/^HTTP\/1\.1 200 /)
    expect(origin.heads).toHaveLength(1)
    expect(origin.heads[0]).not.toMatch(/upgrade|http2-settings/i)
    await gateway.close()
    await origin.close()
  },
)
