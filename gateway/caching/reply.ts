// What a client is answered from stock: the whole, a part, or that it has it already; with its age (RFC 9111 §4, §5.1).
// The danger it guards against: fields of a whole on a part of it, and an answer that does not tell its age.
import { namesOf, withField, withMore, without } from '../message/fields.ts'
import type { Answer, Exchange, Fields } from '../model.ts'
import { currentAgeMs } from './freshness.ts'
import { isNotModified, isRangeMeant } from './preconditions.ts'
import { type Part, partOf } from './ranges.ts'
import type { Stored } from './stored.ts'

export type Reply = Pick<Answer, 'status' | 'reason' | 'fields'> & { readonly body: Buffer | undefined }

export function replyFrom(stored: Stored, asked: Pick<Exchange, 'method' | 'fields'>, nowMs: number): Reply {
  const { status, reason, body } = stored
  const fields = withAge(stored, nowMs)
  if (isNotModified(asked.fields, stored)) return notModified(fields)
  const part = partAsked(stored, asked)
  if (part === 'unsatisfiable') return unsatisfiable(fields, body.length)
  if (part !== 'whole') return partial(fields, body, part)
  const isBare = asked.method === 'HEAD' || body.length === 0
  return { status, reason, fields, body: isBare ? undefined : body }
}

/** The stored fields, with the age that it has now, in whole seconds. */
function withAge(stored: Stored, nowMs: number): Fields {
  return withMore(stored.fields, ['Age', String(Math.floor(currentAgeMs(stored, nowMs) / 1000))])
}

/** RFC 9110 §15.4.5: about what the client has, without what describes a body that does not come. */
export function notModified(fields: Fields): Reply {
  return { status: 304, reason: 'Not Modified', fields: without(fields, ofBody), body: undefined }
}

const ofBody = namesOf([
  ...['Content-Length', 'Content-Type', 'Content-Encoding', 'Content-Language', 'Content-Range'],
  ...['Accept-Ranges', 'Trailer'],
])

function partAsked(stored: Stored, { method, fields }: Pick<Exchange, 'method' | 'fields'>): Part {
  const [range, ...more] = fields.all('range')
  const isMeant = method === 'GET' && stored.status === 200 && range !== undefined && more.length === 0
  return isMeant && isRangeMeant(fields, stored) ? partOf(range, stored.body.length) : 'whole'
}

function partial(fields: Fields, body: Buffer, { first, last }: Exclude<Part, string>): Reply {
  const length = withField(fields, 'Content-Length', String(last - first + 1))
  const placed = withField(length, 'Content-Range', `bytes ${first}-${last}/${body.length}`)
  return { status: 206, reason: 'Partial Content', fields: placed, body: body.subarray(first, last + 1) }
}

function unsatisfiable(fields: Fields, length: number): Reply {
  const bare = withMore(without(fields, ofBody), ['Content-Length', '0'])
  return {
    status: 416,
    reason: 'Range Not Satisfiable',
    fields: withField(bare, 'Content-Range', `bytes */${length}`),
    body: undefined,
  }
}
