// Who a request comes from, as far as its side is concerned.
// The danger it guards against: two clients that are taken for one, or one that is taken for two.
import { networkOf } from '../message/addresses.ts'
import { cookieOf } from '../message/cookies.ts'
import type { Exchange, Identity, StickyBy } from '../model.ts'

/** The cookie that `stickyBy: affinity` gives. */
export const affinityCookie = 'banyan'

/** @returns undefined for a client without it: it stays with the old side */
export function identityOf(
  { fields, client, identity }: Pick<Exchange, 'fields' | 'client' | 'identity'>,
  stickyBy: StickyBy,
): string | undefined {
  switch (stickyBy.by) {
    case 'cookie':
      return cookieOf(fields, stickyBy.name) || undefined
    case 'field':
      return fields.get(stickyBy.name) || undefined
    case 'claim':
      return claimOf(identity, stickyBy.name)
    case 'affinity':
      return cookieOf(fields, affinityCookie) || undefined
    case 'address':
      return networkOf(client.address)
  }
}

/** Two issuers may call two clients by one name. */
function claimOf(identity: Identity | undefined, name: string): string | undefined {
  const value = identity?.claims?.[name]
  if (identity?.issuer === undefined || (typeof value !== 'string' && typeof value !== 'number')) return undefined
  return `${identity.issuer} ${value}`
}
