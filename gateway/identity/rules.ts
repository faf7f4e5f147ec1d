// Which rules a request must meet: its Route's, and those of the Route that a looser reading of its path meets.
// The danger it guards against: a path that is written so that the gateway and the server behind it read it differently, and only
// the server's reading is a protected one.
import { isPreflight } from '../message/preflight.ts'
import type { AuthRules, Exchange } from '../model.ts'

type Asked = Pick<Exchange, 'method' | 'fields' | 'body' | 'upgrade' | 'route' | 'guardedBy'>

/** @returns undefined for a request that nobody needs to be known for */
export function rulesFor(exchange: Asked): AuthRules | undefined {
  const own = exchange.route.auth
  const guard = exchange.guardedBy?.auth
  const rules = own && guard ? both(own, guard) : (own ?? guard)
  return rules && !isPreflight(exchange) ? rules : undefined
}

/** Whether some of its kind need to be known: then keys of ours go no further, whatever comes of this one. */
export function isGuarded({ route, guardedBy }: Pick<Exchange, 'route' | 'guardedBy'>): boolean {
  return route.auth !== undefined || guardedBy?.auth !== undefined
}

/** Where they have no kind in common nobody passes. */
function both(own: AuthRules, guard: AuthRules): AuthRules {
  return {
    any: own.any.filter((kind) => guard.any.includes(kind)),
    scopes: [...new Set([...own.scopes, ...guard.scopes])],
    mode: own.mode === 'enforce' ? own.mode : guard.mode,
  }
}
