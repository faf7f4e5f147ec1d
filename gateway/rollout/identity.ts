// Who a request comes from, as far as its side is concerned.
// The danger it guards against: two clients that are taken for one, or one that is taken for two.
import { networkOf } from '../message/addresses.ts'
import { cookieOf } from '../message/cookies.ts'
import type { Exchange, StickyBy } from '../model.ts'

/** The cookie that `stickyBy: affinity` gives. */
export const affinityCookie = 'banyan'

/** @returns undefined for a client without it: it stays with the old side */
export function identityOf(
  { fields, client }: Pick<Exchange, 'fields' | 'client'>,
  stickyBy: StickyBy,
): string | undefined {
  switch (stickyBy.by) {
    case 'cookie':
      return cookieOf(fields, stickyBy.name) || undefined
    case 'field':
      return fields.get(stickyBy.name) || undefined
    case 'affinity':
      return cookieOf(fields, affinityCookie) || undefined
    case 'address':
      return networkOf(client.address)
  }
}
