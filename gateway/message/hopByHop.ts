// Which fields end at this hop (RFC 9110 §7.6.1).
// The danger it guards against: a field meant for one connection that governs another, or one that is dropped at a client's
// wish although the message cannot do without it.
import type { Fields } from '../model.ts'
import { fieldsOf, type Names, namesOf, sameName } from './fields.ts'

const hopByHop = namesOf([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  // Credentials for a proxy are for the nearest one (RFC 9110 §11.7); nobody behind us should see them.
  'proxy-authorization',
  'proxy-authenticate',
])

/** `Connection: host` must not talk a gateway out of the fields that frame and address the message. */
const untouchable = namesOf(['host', 'content-length'])

/** Only the fields that are meant for the other end. `TE: trailers` stays, as the one coding of TE that passes. */
export function endToEnd(fields: Fields): Fields {
  if (!hasHopByHop(fields)) return fields
  const named = namedByConnection(fields)
  const raw: string[] = []
  for (let i = 0; i < fields.raw.length; i += 2) {
    const name = fields.raw[i] as string
    const value = fields.raw[i + 1] as string
    if (sameName(name, 'te')) {
      if (acceptsTrailers(value)) raw.push(name, 'trailers')
    } else if (!hopByHop.has(name) && !named.has(name)) raw.push(name, value)
  }
  return fieldsOf(raw)
}

function hasHopByHop({ raw }: Fields): boolean {
  for (let i = 0; i < raw.length; i += 2) if (hopByHop.has(raw[i] as string)) return true
  return false
}

function namedByConnection(fields: Fields): Names {
  const values = fields.all('connection').filter((value) => !namesNothing.has(value))
  if (values.length === 0) return noNames
  const names = values.flatMap((value) => value.split(',')).map((name) => name.trim().toLowerCase())
  return namesOf(names.filter((name) => !untouchable.has(name)))
}

/** The two values that nearly all Connection fields have. */
const namesNothing = namesOf(['keep-alive', 'close'])
const noNames = namesOf([])

function acceptsTrailers(te: string): boolean {
  return te.split(',').some((coding) => coding.trim().toLowerCase() === 'trailers')
}
