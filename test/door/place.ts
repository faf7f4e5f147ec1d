// A gateway before an upstream that a test scripts, and the ways to see what a door does.
// The danger it guards against: a test that cannot tell which door has answered.
import { setImmediate } from 'node:timers/promises'
import type { GatewayOptions } from '../../gateway/main.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { type Origin, startRawOrigin } from '../harness/origin.ts'
import { places } from '../harness/places.ts'
import type { Wire } from '../harness/wire.ts'

export interface Place {
  readonly gateway: TestGateway
  readonly port: number
  /** The connections of the upstream; a test may add listeners. */
  onConnection: Parameters<typeof startRawOrigin>[0]
  /** The request lines that the upstream has got. */
  readonly lines: string[]
  close(): Promise<void>
}

export const isGeneral = process.env.BANYAN_DOOR === 'general'

/** Only the fast door passes its Trailer on: the general one cannot send that field on an answer without chunks. */
export const answerOf = (body: string) =>
  `HTTP/1.1 200 OK\r\nTrailer: by-the-fast-door\r\nContent-Length: ${body.length}\r\n\r\n${body}`

export async function openPlace(header = places, options: Partial<GatewayOptions> = {}): Promise<Place> {
  const lines: string[] = []
  const origin: Origin = await startRawOrigin((socket) => place.onConnection(socket))
  const gateway = await startTestGateway(
    `
upstreams: { monolith: { url: "${origin.url}" } }
unmatched: monolith
`,
    header,
    options,
  )
  const place: Place = {
    gateway,
    port: gateway.port,
    lines,
    onConnection(socket) {
      let bytes = ''
      socket.on('data', (chunk) => {
        bytes += chunk.toString('latin1')
        for (let end = bytes.indexOf('\r\n\r\n'); end >= 0; end = bytes.indexOf('\r\n\r\n')) {
          const length = Number(/content-length: (\d+)/i.exec(bytes.slice(0, end))?.[1] ?? 0)
          if (bytes.length < end + 4 + length) return
          const line = bytes.slice(0, bytes.indexOf('\r\n'))
          const body = bytes.slice(end + 4, end + 4 + length)
          bytes = bytes.slice(end + 4 + length)
          lines.push(line)
          socket.write(answerOf(`${line.split(' ')[1]}${body}`), 'latin1')
        }
      })
      socket.on('end', () => socket.end())
    },
    async close() {
      await gateway.close()
      await origin.close()
    },
  }
  return place
}

/** Writes so that the other side, in this process, reads each piece by itself: the loop looks at all sockets in between. */
export async function writePieces({ socket }: Wire, pieces: readonly string[]): Promise<void> {
  socket.setNoDelay(true)
  for (const piece of pieces) {
    socket.write(piece, 'latin1')
    await setImmediate()
    await setImmediate()
  }
}
