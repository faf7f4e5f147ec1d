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
    if (!hopByHop.has(name) && !named?.has(name)) raw.push(name, fields.raw[i + 1] as string)
    else if (sameName(name, 'te') && acceptsTrailers(fields.raw[i + 1] as string)) raw.push(name, 'trailers')
  }
  return fieldsOf(raw)
}

function hasHopByHop({ raw }: Fields): boolean {
  for (let i = 0; i < raw.length; i += 2) if (hopByHop.has(raw[i] as string)) return true
  return false
}

function namedByConnection({ raw }: Fields): Names | undefined {
  let names: string[] | undefined
  for (let i = 0; i < raw.length; i += 2) {
    const value = raw[i + 1] as string
    if (!sameName(raw[i] as string, 'connection') || namesNothing.has(value)) continue
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
