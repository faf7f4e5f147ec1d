// What an answer's own fields say of its storing and reuse (RFC 9111 §3, §4.2, §5), read once when it is stored.
// The danger it guards against: an origin's word that is overheard. What cannot be read makes the answer stale, not fresh.
import type { Fields } from '../model.ts'
import { cacheControlOf, type Directives } from './cacheControl.ts'
import { httpDateMs } from './httpDate.ts'

/** Milliseconds throughout; points in time are since the epoch. */
export interface Policy {
  /** `no-store` or `private`, also with a list of fields (§5.2.2.7: it may be read so). */
  readonly forbidsStoring: boolean
  /** `no-cache`, also with a list of fields (§5.2.2.4): never without asking. */
  readonly mustValidate: boolean
  /** §4.2.4: not a moment longer than it is fresh, whatever a client would take. */
  readonly forbidsStale: boolean
  /** §3.5: may be given to others although it was asked for with credentials. */
  readonly isForAll: boolean
  /** `must-understand` (§5.2.2.3): only those may store it who know what its status means. */
  readonly mustUnderstand: boolean
  /** As the origin says; undefined when it says nothing, and then somebody else may. */
  readonly lifetimeMs: number | undefined
  /** RFC 5861; -1 where it forbids it, undefined when it says nothing. */
  readonly staleWhileRevalidateMs: number | undefined
  readonly staleIfErrorMs: number | undefined
  readonly dateMs: number
  readonly lastModifiedMs: number | undefined
  /** How old it was when it came (§4.2.3). */
  readonly initialAgeMs: number
}

/** When an answer was asked for, and when its head came. */
export interface Times {
  readonly requestedAtMs: number
  readonly receivedAtMs: number
}

export function policyOf(fields: Fields, times: Times): Policy {
  const said = cacheControlOf(fields)
  const { receivedAtMs } = times
  const dateMs = single(fields, 'date', receivedAtMs) ?? receivedAtMs
  const mustValidate = said.has('no-cache') || saysPragma(fields, said)
  return {
    forbidsStoring: said.has('no-store') || said.has('private'),
    mustValidate,
    // s-maxage implies proxy-revalidate (§5.2.2.10).
    forbidsStale: mustValidate || said.has('s-maxage') || forbidding.some((name) => said.has(name)),
    isForAll: said.permits('public') || said.permits('must-revalidate') || isReadable(said.mostMs('s-maxage')),
    mustUnderstand: said.has('must-understand'),
    lifetimeMs: said.ms('s-maxage') ?? said.ms('max-age') ?? expiresAfterMs(fields, dateMs, receivedAtMs),
    staleWhileRevalidateMs: windowMs('stale-while-revalidate', said, mustValidate),
    staleIfErrorMs: windowMs('stale-if-error', said, mustValidate),
    dateMs,
    lastModifiedMs: single(fields, 'last-modified', receivedAtMs),
    initialAgeMs: initialAge(fields, dateMs, times),
  }
}

const forbidding = ['must-revalidate', 'proxy-revalidate']

function isReadable(ms: number | undefined): boolean {
  return ms !== undefined && Number.isFinite(ms)
}

/** Beside s-maxage the origin's own word permits it, as everybody reads the two together; nobody else's does. */
function windowMs(name: string, said: Directives, mustValidate: boolean): number | undefined {
  if (mustValidate || forbidding.some((one) => said.has(one))) return -1
  return said.ms(name) ?? (said.has('s-maxage') ? -1 : undefined)
}

/** §5.4: it means nothing in an answer; but whoever sends it, and says no more, is not silent. */
function saysPragma(fields: Fields, said: Directives): boolean {
  const pragma = fields.get('pragma')
  return pragma !== undefined && /\bno-cache\b/i.test(pragma) && said.ms('max-age') === undefined
}

/** §5.3: a date that cannot be read, or two of them, are one in the past. */
function expiresAfterMs(fields: Fields, dateMs: number, nowMs: number): number | undefined {
  if (!fields.has('expires')) return undefined
  const expiresMs = single(fields, 'expires', nowMs)
  return expiresMs === undefined ? 0 : Math.max(0, expiresMs - dateMs)
}

/** The date in a field that must be there once. */
function single(fields: Fields, name: string, nowMs: number): number | undefined {
  const [value, ...more] = fields.all(name)
  return value === undefined || more.length > 0 ? undefined : httpDateMs(value, nowMs)
}

/** §4.2.3. In whole seconds, as dates are: else nothing would be fresh for less than one. */
function initialAge(fields: Fields, dateMs: number, { requestedAtMs, receivedAtMs }: Times): number {
  const apparentMs = Math.floor(Math.max(0, receivedAtMs - dateMs) / 1000) * 1000
  return Math.max(apparentMs, ageFieldMs(fields) + Math.max(0, receivedAtMs - requestedAtMs))
}

/** §5.1: the first of several; one that is no number is ignored. */
function ageFieldMs(fields: Fields): number {
  const [first = ''] = (fields.get('age') ?? '').split(',')
  const seconds = first.trim()
  return /^[0-9]+$/.test(seconds) ? Math.min(Number(seconds), 2 ** 31) * 1000 : 0
}
