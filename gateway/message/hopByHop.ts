// Which fields end at this hop (RFC 9110 §7.6.1).
// The danger it guards against: a field meant for one connection that governs another, or one that is dropped at a client's
// wish although the message cannot do without it.
import type { Fields } from '../model.ts'
import { fieldsOf } from './fields.ts'

const hopByHop = new Set([
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
const untouchable = new Set(['host', 'content-length'])

/** A copy with only the fields that are meant for the other end. `TE: trailers` stays, as the one coding of TE that passes. */
export function endToEnd(fields: Fields): Fields {
  const named = namedByConnection(fields)
  const raw: string[] = []
  for (let i = 0; i < fields.raw.length; i += 2) {
    const name = fields.raw[i] as string
    const value = fields.raw[i + 1] as string
    const lower = name.toLowerCase()
    if (lower === 'te') {
      if (acceptsTrailers(value)) raw.push(name, 'trailers')
    } else if (!hopByHop.has(lower) && !named?.has(lower)) raw.push(name, value)
  }
  return fieldsOf(raw)
}

function namedByConnection(fields: Fields): Set<string> | undefined {
  const values = fields.all('connection')
  if (values.length === 0) return undefined
  const names = values.flatMap((value) => value.split(',')).map((name) => name.trim().toLowerCase())
  return new Set(names.filter((name) => !untouchable.has(name)))
}

function acceptsTrailers(te: string): boolean {
  return te.split(',').some((coding) => coding.trim().toLowerCase() === 'trailers')
}
