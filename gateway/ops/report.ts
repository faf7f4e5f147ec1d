// What log and metrics say alike of a finished Exchange: who answered, and which side of a move that is.
// The danger it guards against: a log line and a metric that blame different upstreams for the same answer.

import type { Report } from '../model/ports.ts'
import type { Route } from '../model.ts'

/** The Upstream that answered; for a failure that the gateway reports, the one that the request was headed for. */
export function upstreamOf({ answer, exchange }: Report): string | undefined {
  return answer.upstream ?? (answer.failure === undefined ? undefined : exchange.upstream.name)
}

/** Which side of its Route's move an Upstream is; undefined where nothing moves. */
export function sideOf(route: Route, upstream: string | undefined): 'old' | 'new' | undefined {
  if (!route.move || upstream === undefined) return undefined
  if (upstream === route.move.to.name) return 'new'
  return upstream === route.move.from.name ? 'old' : undefined
}

const classes = ['other', '1xx', '2xx', '3xx', '4xx', '5xx']

export function statusClassOf(status: number): string {
  return classes[Math.trunc(status / 100)] ?? 'other'
}
