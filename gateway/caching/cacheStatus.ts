// The member that this cache adds to Cache-Status (RFC 9211), behind those of caches nearer to the origin.
// The danger it guards against: a hit that passes for a miss when somebody looks for the cause of an old page.
import { fieldsOf } from '../message/fields.ts'
import type { Fields } from '../model.ts'

export type Told =
  | { readonly hit: true; readonly ttlMs: number }
  | {
      /** Why it went on to the upstream (§2.2). */
      readonly fwd: 'bypass' | 'request' | 'uri-miss' | 'vary-miss' | 'stale'
      /** What that one answered, when it is not what the client gets. */
      readonly fwdStatus?: number
      /** It is kept, as far as can be said before its last byte. */
      readonly isStored?: boolean
      /** It was another request that went on. */
      readonly isCollapsed?: boolean
    }

export function withCacheStatus(fields: Fields, told: Told): Fields {
  return fieldsOf([...fields.raw, 'Cache-Status', memberOf(told)])
}

function memberOf(told: Told): string {
  if ('hit' in told) return `banyan; hit; ttl=${Math.floor(told.ttlMs / 1000)}`
  const { fwd, fwdStatus, isStored, isCollapsed } = told
  const status = fwdStatus === undefined ? '' : `; fwd-status=${fwdStatus}`
  return `banyan; fwd=${fwd}${status}${isStored ? '; stored' : ''}${isCollapsed ? '; collapsed' : ''}`
}
