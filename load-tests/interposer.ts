// A small proxy that stands between the gateway and one upstream, and spoils some requests of the run.
// The danger it guards against: a load test that cannot fail. A verdict of "nothing lost" is worth as much as its losses
// that were planted and found, so this writes down exactly what it did.
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { type FaultKind, maySpoil, passAnswer, spoils } from './fault.ts'

/** What befalls the requests that pass. */
export interface FaultPlan {
  readonly kind: FaultKind
  /** Asked for each eligible request: whether it is spoilt. */
  readonly isTurn: () => boolean
  /** Only requests whose X-Request-Id begins so are eligible: ledgers, health checks and warm-ups pass unharmed. */
  readonly idPrefix: string
}

export interface Hit {
  readonly id: string
  /** Milliseconds since the epoch, just before anybody could notice. */
  readonly at: number
  /** Its Banyan-Role: a request that the gateway made, and no client waits for. */
  readonly role?: string | undefined
}

export interface Interposer {
  readonly url: string
  /** What was spoilt so far, in this order. */
  readonly hits: readonly Hit[]
  /** Resolves when no spoilt request is still under way. */
  settled(): Promise<void>
  close(): Promise<void>
}

/** Every so many, the first one drawn. */
export function everyNth(every: number, random: () => number): () => boolean {
  let untilHit = 1 + Math.floor(random() * every)
  return () => {
    untilHit -= 1
    if (untilHit > 0) return false
    untilHit = every
    return true
  }
}

/** Listens on a free port of the loopback. @param upstream where the requests belong, scheme://host:port */
export async function interpose(upstream: string, plan: FaultPlan): Promise<Interposer> {
  const agent = new Agent({ keepAlive: true })
  const hits: Hit[] = []
  const underWay = new Set<Promise<void>>()

  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const id = String(incoming.headers['x-request-id'])
    const isOurs = id.startsWith(plan.idPrefix)
    // Ours are small, and kept so that they can be sent twice; anybody else's stream through.
    const body = isOurs ? await buffer(incoming) : incoming
    const deliver = () => sendOn({ agent, upstream, incoming, outgoing, body })
    const answer = await deliver()
    if (!isOurs || !maySpoil(plan.kind, incoming, answer) || !plan.isTurn()) return passAnswer(answer, outgoing)
    const role = incoming.headers['banyan-role']
    const hit = () => hits.push({ id, at: Date.now(), role: typeof role === 'string' ? role : undefined })
    await spoils[plan.kind]({ incoming, outgoing, answer, deliverAgain: deliver }, hit)
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

async function close(server: Server, agent: Agent): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  agent.destroy()
  await closed
}
