// Holds back what an upstream would only queue: with `concurrency: adaptive` requests beyond its limit wait here, as they do for a
// connection, and its limit is told how long each answer took to begin.
// The dangers it guards against: a limit that learns from what is no answer (a refusal in a moment looks like speed), and streams
// that use it up although nobody works on them: a request counts until its answer has begun.
import { asFailure, Failure } from '../errors.ts'
import { stopwatch } from '../message/stopwatch.ts'
import type { Answer, Clock, ConcurrencyLimit, Exchange, Next, Upstream } from '../model.ts'
import { noConnection } from './failures.ts'
import { Patience } from './patience.ts'
import { Room } from './room.ts'

export interface AdaptiveParts {
  readonly clock: Clock
  /** Rejects only with a Failure. */
  readonly forward: Next
  /** Undefined: nothing bounds that one. */
  limitOf(upstream: Upstream): ConcurrencyLimit | undefined
}

export interface Adaptive {
  /** Rejects only with a Failure. */
  readonly forward: Next
  /** How many are held back now. */
  waitingOf(upstream: Upstream): number
}

export function createAdaptive({ clock, forward, limitOf }: AdaptiveParts): Adaptive {
  const rooms = new WeakMap<ConcurrencyLimit, Room>()

  function roomOf(limit: ConcurrencyLimit): Room {
    const room = rooms.get(limit) ?? new Room(limit.most)
    rooms.set(limit, room)
    return room
  }

  async function measured(exchange: Exchange, limit: ConcurrencyLimit, active: number): Promise<Answer> {
    const tookMs = stopwatch(exchange, clock)
    const startedAt = clock.now()
    const tell = (took = tookMs()) => {
      if (took !== undefined) limit.took({ tookMs: took, startedAt, active })
    }
    try {
      const answer = await forward(exchange)
      if (answer.status < 500) tell()
      return answer
    } catch (thrown) {
      if (hasWaited(asFailure(thrown))) tell()
      throw thrown
    }
  }

  async function limited(exchange: Exchange, limit: ConcurrencyLimit): Promise<Answer> {
    const room = roomOf(limit)
    const guest = {}
    await enter(room, guest, exchange, clock)
    try {
      return await measured(exchange, limit, room.size)
    } finally {
      room.leave(guest)
    }
  }

  return {
    forward(exchange) {
      const limit = limitOf(exchange.upstream)
      return limit ? limited(exchange, limit) : forward(exchange)
    },
    waitingOf(upstream) {
      const limit = limitOf(upstream)
      return limit ? roomOf(limit).waiting : 0
    },
  }
}

/** Who lost patience has shown that an answer takes so long at least. */
function hasWaited({ code }: Failure): boolean {
  return code === 'upstreamFirstByteTimeout' || code === 'deadlinePassed' || code === 'clientDeadlinePassed'
}

/** Resolves once there is room. Rejects, and leaves, when its time has passed or its client has gone. */
async function enter(room: Room, guest: object, exchange: Exchange, clock: Clock): Promise<void> {
  const { upstream, yields = false } = exchange
  // It is before all of its targets, not each.
  const entered = room.enter(guest, { upstream: { ...upstream, targets: [upstream.target] }, yields })
  if (!room.isWaiting(guest)) return entered
  const { promise: lost, reject } = Promise.withResolvers<never>()
  const patience = new Patience({ exchange, clock }, { fail: reject, isClientsTurn: () => false })
  patience.connecting(() => noConnection(upstream, true))
  exchange.onGone(() => reject(new Failure('clientGone', 'the client left')))
  try {
    await Promise.race([entered, lost])
  } catch (thrown) {
    room.leave(guest)
    throw thrown
  } finally {
    patience.stop()
  }
}
