// Every known shape of request smuggling against the whole gateway, through both doors.
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { type Origin, startOrigin } from '../harness/origin.ts'
import { exchangeBytes } from '../harness/wire.ts'
import { shapes } from './smuggling.ts'

const last = 'GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'

describe.each(['fast', 'general'])('through the %s door', (door) => {
  let origin: Origin
  let gateway: TestGateway
  /** The whole requests that the upstream has seen. */
  let seen: string[]

  beforeAll(async () => {
    origin = await startOrigin((request, response) => {
      buffer(request).then(
        (body) => {
          seen.push(`${request.method} ${request.url} ${body.toString('latin1')}`)
          response.end('answered')
        },
        () => {},
      )
    })
    gateway = await startTestGateway(`upstreams: { old: { url: "${origin.url}" } }\nunmatched: old\n`, undefined, {
      env: door === 'general' ? { BANYAN_DOOR: door } : {},
    })
  })

  afterAll(async () => {
    await gateway.close()
    await origin.close()
  })

  beforeEach(() => {
    seen = []
  })

  test.each(shapes)('$name', async ({ bytes, outcome }) => {
    const { received } = await exchangeBytes(gateway.port, bytes + last)
    const statuses = [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
    if (outcome === 'refused') {
      expect(seen).toEqual([])
      expect(statuses).toHaveLength(1)
      expect([400, 501, 505]).toContain(statuses[0])
    } else {
      expect(seen).toEqual([...outcome, 'GET /last '])
      expect(statuses).toEqual([...outcome, 'last'].map(() => 200))
    }
  })
})
