// What a browser asks before it asks (Fetch §3.2.2): without credentials, whether it may send them.
// The danger it guards against: a page that may not even ask whether it may ask, because it has not logged in.
import type { Exchange } from '../model.ts'

export function isPreflight({ method, fields }: Pick<Exchange, 'method' | 'fields'>): boolean {
  return method === 'OPTIONS' && fields.has('origin') && fields.has('access-control-request-method')
}
