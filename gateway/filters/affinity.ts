// Tells a client which of an Upstream's targets answered it, in a cookie of ours, so that its next request goes there again: what
// chooses the target reads it (state/targets/). It stands before the cache: what is stored is bound to nobody.
// The danger it guards against: a session that is kept by one node and asked for at another; and a cookie that binds a crowd to
// one node, because a cache on the way gives it to everybody.
import { idOf } from '../balancing/rendezvous.ts'
import { filterKind } from '../filter.ts'
import { cookieOf } from '../message/cookies.ts'
import { withOwnCookie } from '../message/ownCookie.ts'
import type { Answer, Exchange, Upstream } from '../model.ts'

export const affinity = filterKind({
  name: 'affinity',
  sections: {},
  configure(_settings, { route: { upstream, move } }) {
    const bound = [...new Set(move ? [move.from, move.to] : [upstream])].flatMap(cookieOfUpstream)
    if (bound.length === 0) return undefined
    const cookies = new Map(bound)
    return {
      does: bound
        .map(([name, cookie]) => `keeps a client with its target of ${name} by the cookie ${cookie}`)
        .join(', '),
      bind: () =>
        async function affinity(exchange, next) {
          const answer = await next(exchange)
          const cookie = cookies.get(answer.upstream ?? '')
          return cookie === undefined ? answer : withTarget(answer, cookie, exchange)
        },
    }
  },
})

function cookieOfUpstream({ name, affinity }: Upstream): (readonly [upstream: string, cookie: string])[] {
  return affinity?.by === 'cookie' ? [[name, affinity.name]] : []
}

function withTarget(answer: Answer, cookie: string, { fields, client }: Exchange): Answer {
  const { upstream, target, status } = answer
  // Who failed a stranger is not the one to stay with.
  if (upstream === undefined || target === undefined || status >= 500) return answer
  const id = idOf(upstream, target)
  return cookieOf(fields, cookie) === id ? answer : withOwnCookie(answer, `${cookie}=${id}; Path=/`, client)
}
