// What a run sends: kinds of real requests, each with its weight, its expectation and its complaint.
// The danger it guards against: a load of one cheap GET, whose answer nobody looks at. Here every answer is compared with
// what that request must be answered, and writes are among them: a doubled write is the worst that a move can do.
import type { Ask, Client, Reply } from './client.ts'
import type { Operators } from './operators.ts'
import type { Move } from './routes-file.ts'

export interface PlannedRequest {
  /** The name of its kind. */
  readonly kind: string
  /** Who asks, where that decides who answers. */
  readonly visitor?: string
  readonly ask: Ask
  /** The only right status. */
  readonly status: number
  /** What is wrong with a whole answer of the right status; undefined: nothing. */
  complaint(reply: Reply): string | undefined
  /** Is called when the answer was right. */
  readonly onRight?: (reply: Reply) => void
}

export interface Kind {
  readonly name: string
  /** Its share among all kinds is its weight by the sum of all. */
  readonly weight: number
  /** Whether the route that is moved takes it. */
  readonly isMoving?: boolean
  next(): PlannedRequest
}

/** Whom a kind may ask, before the run, what it has to expect. */
export interface Acquaintance {
  readonly operators: Operators
  /** Through the gateway, as the public would. */
  readonly client: Client
  readonly move: Move
  readonly random: () => number
  /** Stands in everything that this run writes, so that its traces can be told from others. */
  readonly tag: string
}

export interface RequestMix {
  next(): PlannedRequest
}

/** Draws kinds by their weights. */
export function mixOf(kinds: readonly Kind[], random: () => number): RequestMix {
  const total = kinds.reduce((sum, { weight }) => sum + weight, 0)
  return {
    next() {
      let left = random() * total
      for (const kind of kinds) {
        left -= kind.weight
        if (left < 0) return kind.next()
      }
      throw new Error('no kinds of requests')
    },
  }
}

/** A complaint about a body that is not exactly that. */
export function unlessBytes(expected: Buffer): (reply: Reply) => string | undefined {
  return ({ body }) =>
    body.equals(expected) ? undefined : `${body.length} bytes that differ from the ${expected.length} expected`
}

export function pickFrom<T>(list: readonly T[], random: () => number): T {
  if (list.length === 0) throw new Error('nothing to pick from')
  return list[Math.floor(random() * list.length)] as T
}

/** The answer to a question asked before the run. @throws Error saying what was asked when it is not that status. */
export function expectReply(reply: Reply, status: number, what: string): Reply {
  if (reply.ending === 'whole' && reply.status === status) return reply
  const how = reply.ending === 'whole' ? `status ${reply.status}` : `${reply.ending} ${reply.cause ?? ''}`.trim()
  throw new Error(`before the run: ${what}: ${how}, not ${status}`)
}

export function jsonIn<T>({ body }: Reply): T {
  return JSON.parse(body.toString('utf8')) as T
}
