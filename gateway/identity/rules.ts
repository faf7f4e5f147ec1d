// Which rules a request must meet: its Route's, and those of the Route that a looser reading of its path meets.
// The danger it guards against: a path that is written so that the gateway and the server behind it read it differently, and only
// the server's reading is a protected one.
import type { AuthRules, Exchange } from '../model.ts'

/** @returns undefined for a request that nobody needs to be known for */
export function rulesFor(exchange: Pick<Exchange, 'method' | 'fields' | 'route' | 'guardedBy'>): AuthRules | undefined {
  const own = exchange.route.auth
  const guard = exchange.guardedBy?.auth
  const rules = own && guard ? both(own, guard) : (own ?? guard)
  return rules && !isPreflight(exchange) ? rules : undefined
}

/** A browser asks without credentials whether it may send them (Fetch §3.2.2). */
function isPreflight({ method, fields }: Pick<Exchange, 'method' | 'fields'>): boolean {
  return method === 'OPTIONS' && fields.has('origin') && fields.has('access-control-request-method')
}

/** Where they have no kind in common nobody passes. */
function both(own: AuthRules, guard: AuthRules): AuthRules {
  return {
    any: own.any.filter((kind) => guard.any.includes(kind)),
    scopes: [...new Set([...own.scopes, ...guard.scopes])],
    mode: own.mode === 'enforce' ? own.mode : guard.mode,
  }
}
