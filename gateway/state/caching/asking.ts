// The request that the cache sends on for a client, or on its own behalf. The danger it guards against: one that ends when the first
// of many clients leaves.
import { fieldsToFill } from '../../caching/validation.ts'
import type { Answer, Exchange } from '../../model.ts'
import type { Found, Inquiry } from './inquiry.ts'

/** Asks for a whole, or by our validators after what is found. */
export function asking({ exchange }: Inquiry, found: Found | undefined): Exchange {
  const asked = { ...exchange, fields: fieldsToFill(exchange.fields, found?.stored), onGone: () => {} }
  return found?.isForErrors ? { ...asked, hasStale: true } : asked
}

/** On behalf of nobody: after the client has his answer, and without his patience. */
export function behind(inquiry: Inquiry): Inquiry {
  const { connection: _own, ...client } = inquiry.exchange.client
  const { deadlineAt: _his, ...exchange } = inquiry.exchange
  return { ...inquiry, exchange: { ...exchange, method: 'GET', client, role: 'revalidate', inform: () => {} } }
}

const failing = new Set([500, 502, 503, 504])

/** What counts as a failure that something stale may stand in for (RFC 5861 §4). */
export function isFailing({ status, by }: Answer): boolean {
  return by === 'upstream' && failing.has(status)
}

/** Ends an answer of which nothing more is wanted than its head. */
export function finish(answer: Answer, now: () => number): void {
  if (answer.body === undefined || Buffer.isBuffer(answer.body)) {
    answer.settle({ how: 'complete', bodyBytes: answer.body?.length ?? 0, at: now() })
  }
  answer.discard()
}
