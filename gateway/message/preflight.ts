// What a browser asks before it asks (Fetch §4.8): without credentials and content, whether it may send them.
// The dangers it guards against: a page that may not even ask whether it may ask, because it has not logged in; and a request that
// only looks like such a question, is let in unasked for that, and does something at the upstream.
import type { Exchange } from '../model.ts'
import { methodOverrides } from './methodOverride.ts'

type Asking = Pick<Exchange, 'method' | 'fields' | 'body' | 'upgrade'>

export function isPreflight({ method, fields, body, upgrade }: Asking): boolean {
  if (method !== 'OPTIONS' || body !== undefined || upgrade !== undefined) return false
  if (!fields.has('origin') || !fields.has('access-control-request-method')) return false
  return !methodOverrides.some((name) => fields.has(name))
}
