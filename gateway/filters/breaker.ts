// Leaves an Upstream alone that fails: while its circuit is open, requests for it end here at once.
// The danger it guards against: a dead service that is given all our patience, one request at a time, and what should not count
// as its failure counting all the same: a client that leaves, a fault of ours, a leg that is made beside a client's request.
import { asFailure, Failure } from '../errors.ts'
import { filterKind } from '../filter.ts'
import { stopwatch } from '../message/stopwatch.ts'
import type { Answer, Breaker, Clock, Exchange, Next, Upstream } from '../model.ts'

export const breaker = filterKind({
  name: 'breaker',
  sections: {},
  configure(_settings, { route: { upstream, move } }) {
    const guarded = [...new Set(move ? [move.from, move.to] : [upstream])].filter(hasBreaker)
    if (guarded.length === 0) return undefined
    return {
      does: `leaves ${guarded.map(({ name }) => name).join(' or ')} alone while it fails`,
      bind({ breakers, clock }) {
        const byName = new Map(
          guarded.map(({ name, targets, breaker }) => [name, breakers.of(targets, breaker)] as const),
        )
        return function breaker(exchange, next) {
          const found = byName.get(exchange.upstream.name)
          if (!found) return next(exchange)
          return isLeg(exchange) ? beside(found, exchange, next) : through({ breaker: found, clock }, exchange, next)
        }
      },
    }
  },
})

function hasBreaker(upstream: Upstream): upstream is Upstream & Required<Pick<Upstream, 'breaker'>> {
  return upstream.breaker !== undefined
}

function isLeg({ role }: Exchange): boolean {
  return role === 'shadow' || role === 'noise'
}

/**
 * Legs are chosen, marked and sometimes refused by a candidate as no client's request is: they must not open the circuit for
 * clients, nor use up the one trial. They spare an Upstream that is left alone.
 */
async function beside(breaker: Breaker, exchange: Exchange, next: Next): Promise<Answer> {
  if (!breaker.isClosed()) throw refusal(breaker, exchange)
  return next(exchange)
}

interface Ports {
  readonly breaker: Breaker
  readonly clock: Clock
}

async function through({ breaker, clock }: Ports, exchange: Exchange, next: Next): Promise<Answer> {
  const permit = breaker.acquire()
  if (!permit) throw refusal(breaker, exchange)
  const sinceWhole = stopwatch(exchange, clock)
  // Whoever answers before the request is whole has taken no time.
  const tookMs = () => sinceWhole() ?? 0
  try {
    const answer = await next(exchange)
    // What lasts is not waited for: the head settles it. But whoever breaks its word in the body has failed after all.
    permit.report(answer.status >= 500 ? 'failed' : 'fine', tookMs())
    // What goes through a tunnel is no answer, and its end no failure that we could tell from another.
    if (!answer.tunnel)
      answer.onEnd(({ how }) => {
        if (how === 'upstreamBroke') permit.broke()
      })
    return answer
  } catch (thrown) {
    permit.report(asFailure(thrown).blame === 'upstream' ? 'failed' : 'nothing', tookMs())
    throw thrown
  }
}

function refusal(breaker: Breaker, { upstream }: Exchange): Failure {
  const failure = new Failure('upstreamOpen', `${upstream.name} has failed too often and is left alone`, {
    retryAfterMs: breaker.retryInMs(),
  })
  failure.upstream = upstream.name
  return failure
}
