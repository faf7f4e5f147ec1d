// Which fields end at this hop (RFC 9110 §7.6.1).
// The danger it guards against: a field meant for one connection that governs another, or one that is dropped at a client's
// wish although the message cannot do without it.
import type { Fields } from '../model.ts'
import { fieldsOf, indexOfOne, type Names, namesOf, sameName, without } from './fields.ts'

const hopByHop = namesOf([
  'Connection',
  'Keep-Alive',
  'Proxy-Connection',
  'TE',
  'Transfer-Encoding',
  'Upgrade',
  // Credentials for a proxy are for the nearest one (RFC 9110 §11.7); nobody behind us should see them.
  'Proxy-Authorization',
  'Proxy-Authenticate',
])

/** `Connection: host` must not talk a gateway out of the fields that frame and address the message. */
const untouchable = namesOf(['Host', 'Content-Length'])

/** Only the fields that are meant for the other end. `TE: trailers` stays, as the one coding of TE that passes. */
export function endToEnd(fields: Fields): Fields {
  const { raw } = fields
  const first = indexOfOne(raw, hopByHop)
  if (first < 0) return fields
  const named = namedByConnection(raw, first)
  const ending: Names = named ? { isAnyCase: true, has: (name) => hopByHop.has(name) || named.has(name) } : hopByHop
  return fields.has('TE') ? withTrailersAlone(raw, ending) : without(fields, ending)
}

/** Of the codings that TE lists no other one passes. */
function withTrailersAlone(all: readonly string[], ending: Names): Fields {
  const raw: string[] = []
  for (let i = 0; i < all.length; i += 2) {
    const name = all[i] as string
    const value = all[i + 1] as string
    if (!ending.has(name)) raw.push(name, value)
    else if (sameName(name, 'TE') && acceptsTrailers(value)) raw.push(name, 'trailers')
  }
  return fieldsOf(raw)
}

function namedByConnection(raw: readonly string[], from: number): Names | undefined {
  let names: string[] | undefined
  for (let i = from; i < raw.length; i += 2) {
    const value = raw[i + 1] as string
    if (!sameName(raw[i] as string, 'Connection') || namesNothing.has(value)) continue
    names ??= []
    names.push(...value.split(',').map((name) => name.trim().toLowerCase()))
  }
  return names && namesOf(names.filter((name) => !untouchable.has(name)))
}

/** The two values that nearly all Connection fields have. */
const namesNothing = namesOf(['keep-alive', 'close'])

function acceptsTrailers(te: string): boolean {
  return te.split(',').some((coding) => coding.trim().toLowerCase() === 'trailers')
}
