// From a request that a door has taken in to its Answer: the one place where an Exchange is made.
// The danger it guards against: two doors that see the same request differently, or a request that sees two Snapshots.
import { asFailure } from '../errors.ts'
import { isPrivate } from '../message/addresses.ts'
import { problemAnswer } from '../message/answer.ts'
import { requestIdOf } from '../message/requestId.ts'
import type { Answer, ClientConnection, Clock, CoreSettings, Exchange, Snapshot } from '../model.ts'
import { createTrusting } from './trusting.ts'
import { answerOwn, type WellKnownPorts } from './wellKnown.ts'

/** What a door knows of a request. */
export interface Arrival
  extends Pick<Exchange, 'method' | 'target' | 'fields' | 'body' | 'trailers' | 'upgrade' | 'onGone' | 'inform'> {
  /** The plain address at the other end of the connection. */
  readonly peer: string
  /** Whether a load balancer has said that it does not know whose connection it is. */
  readonly isAnonymous: boolean
  readonly tls: boolean
  readonly connection: ClientConnection
}

export interface JourneyPorts extends Pick<WellKnownPorts, 'published'> {
  /** Read once per request. */
  readonly live: { readonly current: Snapshot }
  readonly clock: Clock
  /** A request fell to `unmatched` that a looser reading of its path would have given to this Route. */
  nearMiss(route: string): void
  /** An untrusted peer with a private address sends forwarding fields: it may be a load balancer nobody named. */
  untrustedProxy(peer: string): void
}

/** Takes one request through its Route's pipeline. Never rejects. */
export type Journey = (arrival: Arrival) => Promise<Answer>

/** Whoever has read so many hints needs no other. */
const mostHints = 20

export function createJourney(ports: JourneyPorts): Journey {
  const { live, clock } = ports
  const trustOf = createTrusting()
  const seen = new Set<string>()

  function isNews(peer: string): boolean {
    return seen.size < mostHints && !seen.has(peer) && isPrivate(peer)
  }

  function clientOf(arrival: Arrival, settings: CoreSettings): Exchange['client'] {
    const trust = trustOf(settings)
    const { peer, isAnonymous, tls, connection, fields } = arrival
    const peerTrusted = !isAnonymous && trust.isTrusted(peer)
    if (!peerTrusted && !isAnonymous && fields.has('x-forwarded-for') && isNews(peer)) {
      seen.add(peer)
      ports.untrustedProxy(peer)
    }
    return { address: peerTrusted ? trust.clientOf(peer, fields) : peer, peer, peerTrusted, tls, connection }
  }

  function exchangeOf(arrival: Arrival, id: string): Exchange {
    const receivedAt = clock.now()
    const snapshot = live.current
    const { route, path, nearMiss, guardedBy } = snapshot.match(arrival)
    if (nearMiss !== undefined) ports.nearMiss(nearMiss)
    const { method, target, fields, body, trailers, upgrade, onGone, inform } = arrival
    return {
      id,
      receivedAt,
      method,
      target,
      path,
      fields,
      body,
      trailers,
      upgrade,
      client: clientOf(arrival, snapshot.settings),
      route,
      guardedBy,
      upstream: route.upstream,
      role: 'primary',
      onGone,
      inform,
    }
  }

  function run(arrival: Arrival, id: string): Promise<Answer> {
    const own = answerOwn(arrival, live.current, ports)
    if (own) return Promise.resolve(own)
    const exchange = exchangeOf(arrival, id)
    return exchange.route.run(exchange)
  }

  return function journey(arrival) {
    const id = requestIdOf(arrival.fields)
    const failed = (thrown: unknown) => problemAnswer(asFailure(thrown), { id }, clock.now)
    try {
      return run(arrival, id).catch(failed)
    } catch (thrown) {
      return Promise.resolve(failed(thrown))
    }
  }
}
