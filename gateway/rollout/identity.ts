// Who a request comes from, as far as its side is concerned.
// The danger it guards against: two clients that are taken for one, or one that is taken for two.
import { plainAddress } from '../message/addresses.ts'
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

/** An IPv6 client changes its address within its /64 at will (RFC 8981). Of the ways to write one (RFC 4291 §2.2) all are one. */
function networkOf(address: string): string {
  const plain = plainAddress(address.toLowerCase())
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.split('%', 1)[0]?.split('::') ?? []
  const groups = head === '' ? [] : head.split(':')
  const rest = tail ? tail.split(':') : []
  // An IPv4 address at its end stands for two groups.
  const length = groups.length + rest.length + (tail?.includes('.') ? 1 : 0)
  const gap = tail === undefined ? [] : Array<string>(Math.max(0, 8 - length)).fill('0')
  return [...groups, ...gap, ...rest]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}
