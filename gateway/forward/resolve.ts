// Names of upstreams to addresses, asked anew for every connection.
// The danger it guards against: a name server's hiccup that takes every upstream down although they have not moved.
import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'

/** A look-up for net.connect that answers with the last good addresses while the name server fails. */
export function createResolver(lookup: typeof systemLookup = systemLookup): LookupFunction {
  const lastGood = new Map<string, LookupAddress[]>()
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const addresses = error ? lastGood.get(hostname) : found
      if (!addresses?.length) return callback(error ?? new Error(`no address for ${hostname}`), '', 0)
      lastGood.set(hostname, addresses)
      if (options.all) return callback(null, addresses)
      const [first] = addresses
      callback(null, first?.address ?? '', first?.family ?? 0)
    })
  }
}
