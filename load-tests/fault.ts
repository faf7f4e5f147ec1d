// Ways to spoil one request on its way to an upstream and back, once the head of its answer has come.
// The danger it guards against: a fault that spoils more than it counts. Each says when it is done, just before anybody
// could notice.
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'

/**
 * What a cutover must find. `drop`: the request is delivered and runs, its answer is swallowed and the connection closed: the
 * gateway may not know whether it ran. `truncate`: the answer's head and half of its first bytes are passed on, then the
 * connection closes. `double`: the request is delivered twice, the first answer is passed on: the client cannot see it.
 */
export const cutoverFaults = ['drop', 'truncate', 'double'] as const

/**
 * What a guard must see in a candidate. All run the request: a ledger has it. `errors`: 503. `slow`: 200 ms late. `hang`: no
 * answer. `wrong`: 200, and nothing found. `notFound`: 404. `reset`: in the middle of the answer's body.
 */
export const candidateFaults = ['errors', 'slow', 'hang', 'wrong', 'notFound', 'reset'] as const

export type FaultKind = (typeof cutoverFaults)[number] | (typeof candidateFaults)[number]

/** How long a cut answer's first half has to get through the gateway: cut at once, it might be dropped with its head. */
const cutAfterMs = 25
const slowMs = 200

type Spoil = (passage: Passage, hit: () => void) => Promise<void>

/** One request on its way through, once its answer's head has come. */
export interface Passage {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly answer: IncomingMessage
  /** Sends it once more; resolves with that answer's head. */
  deliverAgain(): Promise<IncomingMessage>
}

export const spoils: Readonly<Record<FaultKind, Spoil>> = {
  async drop({ incoming, answer }, hit) {
    await drain(answer)
    hit()
    incoming.socket.destroy()
  },
  async truncate(passage, hit) {
    await passHalf(passage, hit)
    passage.incoming.socket.destroy()
  },
  async double({ outgoing, answer, deliverAgain }, hit) {
    const second = await deliverAgain()
    hit()
    await Promise.all([passAnswer(answer, outgoing), drain(second)])
  },
  async errors({ outgoing, answer }, hit) {
    await drain(answer)
    hit()
    answerInstead(answer, outgoing, { status: 503, body: { error: 'a planted fault' } })
  },
  async slow({ outgoing, answer }, hit) {
    hit()
    await wait(slowMs)
    await passAnswer(answer, outgoing)
  },
  async hang({ answer }, hit) {
    await drain(answer)
    hit()
  },
  async wrong({ outgoing, answer }, hit) {
    const right = JSON.parse((await buffer(answer)).toString('utf8'))
    hit()
    answerInstead(answer, outgoing, { status: 200, body: { ...right, total: 0, results: [] } })
  },
  async notFound({ outgoing, answer }, hit) {
    await drain(answer)
    hit()
    answerInstead(answer, outgoing, { status: 404, body: { error: 'a planted fault' } })
  },
  async reset(passage, hit) {
    await passHalf(passage, hit)
    passage.incoming.socket.resetAndDestroy()
  },
}

/** An answer without a body cannot be cut (RFC 9110 §6.4.1), and of a single byte there is no half. */
export function maySpoil(kind: FaultKind, incoming: IncomingMessage, answer: IncomingMessage): boolean {
  if (kind !== 'truncate' && kind !== 'reset') return true
  if (incoming.method === 'HEAD' || answer.statusCode === 204 || answer.statusCode === 304) return false
  return Number(answer.headers['content-length'] ?? Number.POSITIVE_INFINITY) > 1
}

export async function passAnswer(answer: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  passHead(answer, outgoing)
  await pipeline(answer, outgoing)
}

async function passHalf({ outgoing, answer }: Passage, hit: () => void): Promise<void> {
  passHead(answer, outgoing)
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    outgoing.write(chunk.subarray(0, Math.floor(chunk.length / 2)))
    break
  }
  hit()
  await wait(cutAfterMs)
}

function passHead(answer: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.sendDate = false
  outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders)
}

/** With the fields of the right answer, as if the upstream itself had said it. */
function answerInstead(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  { status, body }: { readonly status: number; readonly body: object },
): void {
  const bytes = Buffer.from(JSON.stringify(body))
  const framing = new Set(['content-length', 'transfer-encoding'])
  const kept = answer.rawHeaders.filter((_, i, raw) => !framing.has((raw[i - (i % 2)] ?? '').toLowerCase()))
  outgoing.sendDate = false
  outgoing.writeHead(status, [...kept, 'Content-Length', String(bytes.length)])
  outgoing.end(bytes)
}

async function drain(answer: IncomingMessage): Promise<void> {
  answer.resume()
  if (!answer.complete || !answer.readableEnded) await once(answer, 'end')
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
