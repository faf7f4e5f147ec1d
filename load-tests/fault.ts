// Seeded faults: a small proxy that stands between the gateway and one upstream and spoils every Nth request of the run.
// The danger it guards against: a load test that cannot fail. A verdict of "nothing lost" is worth as much as its losses
// that were planted and found, so this counts exactly what it did.
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'

/**
 * `drop`: the request is delivered and runs, its answer is swallowed and the connection closed: the gateway may not know
 * whether it ran. `truncate`: the answer's head and half of its first bytes are passed on, then the connection closes.
 * `double`: the request is delivered twice, the first answer is passed on: the client cannot see it.
 */
export type FaultKind = 'drop' | 'truncate' | 'double'

export const faultKinds: readonly FaultKind[] = ['drop', 'truncate', 'double']

export interface FaultPlan {
  readonly kind: FaultKind
  /** Every how many eligible requests one is hit. */
  readonly every: number
  readonly random: () => number
  /** Only requests whose X-Request-Id begins so are eligible: ledgers, health checks and warm-ups pass unharmed. */
  readonly idPrefix: string
  /** Where the requests belong, scheme://host:port. */
  readonly upstream: string
}

export interface Interposer {
  readonly url: string
  /** The ids of the requests that were spoilt so far. */
  readonly hits: readonly string[]
  /** Resolves when no spoilt request is still under way. */
  settled(): Promise<void>
  close(): Promise<void>
}

/** How long a cut answer's first half has to get through the gateway: cut at once, it might be dropped with its head. */
const cutAfterMs = 25

type Spoil = (passage: Passage, hit: () => void) => Promise<void>

/** One request on its way through, once its answer's head has come. */
interface Passage {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly answer: IncomingMessage
  /** Sends it once more; resolves with that answer's head. */
  deliverAgain(): Promise<IncomingMessage>
}

const spoils: Readonly<Record<FaultKind, Spoil>> = {
  async drop({ incoming, answer }, hit) {
    await drain(answer)
    hit()
    incoming.socket.destroy()
  },
  async truncate({ incoming, outgoing, answer }, hit) {
    passHead(answer, outgoing)
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      outgoing.write(chunk.subarray(0, Math.floor(chunk.length / 2)))
      break
    }
    hit()
    await new Promise((resolve) => setTimeout(resolve, cutAfterMs))
    incoming.socket.destroy()
  },
  async double({ outgoing, answer, deliverAgain }, hit) {
    const second = await deliverAgain()
    hit()
    await Promise.all([passAnswer(answer, outgoing), drain(second)])
  },
}

/** Listens on a free port of the loopback. */
export async function interpose(plan: FaultPlan): Promise<Interposer> {
  const agent = new Agent({ keepAlive: true })
  const hits: string[] = []
  const underWay = new Set<Promise<void>>()
  let untilHit = 1 + Math.floor(plan.random() * plan.every)
  const isTurn = () => {
    untilHit -= 1
    if (untilHit > 0) return false
    untilHit = plan.every
    return true
  }

  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const id = String(incoming.headers['x-request-id'])
    const isOurs = id.startsWith(plan.idPrefix)
    // Ours are small, and kept so that they can be sent twice; anybody else's stream through.
    const body = isOurs ? await buffer(incoming) : incoming
    const deliver = () => sendOn({ agent, upstream: plan.upstream, incoming, outgoing, body })
    const answer = await deliver()
    if (!isOurs || !maySpoil(plan.kind, incoming, answer) || !isTurn()) return passAnswer(answer, outgoing)
    await spoils[plan.kind]({ incoming, outgoing, answer, deliverAgain: deliver }, () => hits.push(id))
  }
  const server = createServer({ requestTimeout: 0 }, (incoming, outgoing) => {
    const work = pass(incoming, outgoing).catch(() => void incoming.socket.destroy())
    underWay.add(work)
    void work.then(() => underWay.delete(work))
  })
  // Longer than the gateway keeps idle connections: ours must not be the ones that close as a request is written.
  server.keepAliveTimeout = 600_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hits,
    settled: async () => void (await Promise.allSettled(underWay)),
    close: () => close(server, agent),
  }
}

/** An answer without a body cannot be cut (RFC 9110 §6.4.1), and of a single byte there is no half. */
function maySpoil(kind: FaultKind, incoming: IncomingMessage, answer: IncomingMessage): boolean {
  if (kind !== 'truncate') return true
  if (incoming.method === 'HEAD' || answer.statusCode === 204 || answer.statusCode === 304) return false
  return Number(answer.headers['content-length'] ?? Number.POSITIVE_INFINITY) > 1
}

interface Delivery {
  readonly agent: Agent
  readonly upstream: string
  readonly incoming: IncomingMessage
  /** Whoever waits for the answer: when that connection goes, this delivery goes too. */
  readonly outgoing: ServerResponse
  readonly body: Buffer | IncomingMessage
}

function sendOn({ agent, upstream, incoming, outgoing, body }: Delivery): Promise<IncomingMessage> {
  const { hostname, port } = new URL(upstream)
  return new Promise((resolve, reject) => {
    // The raw list goes on as it came: a proxy that is meant to do one wrong must not do a second.
    const { method, url: path, rawHeaders: headers } = incoming
    const onward = request({ agent, hostname, port, method, path, headers })
    onward.on('response', resolve)
    onward.on('error', reject)
    outgoing.once('close', () => onward.destroy())
    if (Buffer.isBuffer(body)) onward.end(body)
    else body.pipe(onward)
  })
}

function passHead(answer: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.sendDate = false
  outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders)
}

async function passAnswer(answer: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  passHead(answer, outgoing)
  await pipeline(answer, outgoing)
}

async function drain(answer: IncomingMessage): Promise<void> {
  answer.resume()
  if (!answer.complete || !answer.readableEnded) await once(answer, 'end')
}

async function close(server: Server, agent: Agent): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  agent.destroy()
  await closed
}
