// An upstream that keeps the bytes it gets and answers with the bytes of a script, asked directly and through a gateway.
// The danger it guards against: a comparison whose two sides were not asked the same.
import type { Socket } from 'node:net'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startRawOrigin } from '../harness/origin.ts'
import { openWire, type Wire } from '../harness/wire.ts'
import { type Message, readAnswers, readRequest } from './messages.ts'

/** What the upstream does with a request. */
export type Script = (asked: { readonly socket: Socket; readonly request: Message; readonly index: number }) => void

export interface World {
  readonly gateway: TestGateway
  readonly port: number
  /** What happens at each request that is whole. */
  script: Script
  /** What happens at each head, before the body. */
  onHead: Script
  /** The requests that the upstream has got whole since the last `ask`. */
  readonly requests: Message[]
  close(): Promise<void>
}

export const again = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain'
/** Asks whether a connection can still be used. */
export const askAgain = 'GET /again HTTP/1.1\r\nHost: shop.example\r\n\r\n'

export async function startWorld(): Promise<World> {
  const requests: Message[] = []
  const origin = await startRawOrigin((socket) => follow(socket))
  const gateway = await startTestGateway(`
upstreams: { monolith: { url: "${origin.url}" } }
unmatched: monolith
`)
  const world: World = {
    gateway,
    port: origin.port,
    script: ({ socket }) => socket.write(again),
    onHead: () => {},
    requests,
    async close() {
      await gateway.close()
      await origin.close()
    },
  }

  function follow(socket: Socket): void {
    let bytes = ''
    let isHeadTold = false
    const take = (): boolean => {
      const reading = readRequest(bytes)
      if (!reading) return false
      const { request, rest } = reading
      if (!isHeadTold) world.onHead({ socket, request, index: requests.length })
      isHeadTold = !request.isWhole
      if (!request.isWhole) return false
      bytes = rest
      const index = requests.push(request) - 1
      if (request.start.includes(' /again ')) socket.write(again)
      else world.script({ socket, request, index })
      return true
    }
    socket.on('data', (chunk) => {
      bytes += chunk.toString('latin1')
      while (take());
    })
    socket.on('end', () => socket.end())
  }
  return world
}

export interface Asking {
  /** latin1; in the order of sending. Each piece but the first waits for its `after`. */
  readonly request: string
  readonly methods?: readonly string[]
}

export interface Observed {
  readonly seen: readonly Message[]
  readonly got: readonly Message[]
  /** Whether another request could be asked on the connection; asked directly only that it has not ended. */
  readonly isKept: boolean
}

/** Sends a request and reads until its final answers are there, or the connection has ended; then asks whether it goes on. */
export async function ask(
  world: World,
  port: number,
  { request, methods = [methodOf(request)] }: Asking,
): Promise<Observed> {
  world.requests.length = 0
  const wire = await openWire(port, request)
  const isClosed = await answered(wire, methods)
  const got = readAnswers(wire.received(), methods, isClosed)
  const seen = [...world.requests]
  const isKept = !isClosed && got.every(({ isWhole }) => isWhole) && (port === world.port || (await isUsable(wire)))
  wire.socket.destroy()
  return { seen, got, isKept }
}

export const methodOf = (request: string) => request.slice(0, request.indexOf(' '))

/** Resolves once all final answers are there. @returns whether the connection has ended */
export async function answered(wire: Wire, methods: readonly string[]): Promise<boolean> {
  let isClosed = false
  const closed = wire.closed().then(() => {
    isClosed = true
  })
  for (;;) {
    const finals = readAnswers(wire.received(), methods, isClosed).filter(({ start }) => !/ 1(?!01)\d\d/.test(start))
    if (isClosed || (finals.length === methods.length && finals.every(({ isWhole }) => isWhole))) return isClosed
    await Promise.race([closed, new Promise((resolve) => wire.socket.once('data', resolve))])
  }
}

async function isUsable(wire: Wire): Promise<boolean> {
  wire.socket.write(askAgain)
  return wire.until(/\r\n\r\nagain$/).then(
    () => true,
    () => false,
  )
}
