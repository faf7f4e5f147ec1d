// The name of one request, from the client to every log: the client's own X-Request-Id where it is sane, else made here.
// The danger it guards against: an id that forges log lines or grows them without bound.
import { randomFillSync } from 'node:crypto'
import type { Fields } from '../model.ts'

const sane = /^[A-Za-z0-9._-]{8,128}$/

/** @param make makes a new id; an input so that tests own it. */
export function requestIdOf(fields: Fields, make: () => string = randomId): string {
  const given = fields.get('x-request-id')
  return given !== undefined && sane.test(given) ? given : make()
}

const randomBytes = Buffer.allocUnsafeSlow(4 * 1024)
const idDigits = 32
let digits = ''
let taken = 0

/** 128 random bits, as 32 hexadecimal digits. Many are drawn at a time: a UUID for each request was 1.4 % of a small one. */
function randomId(): string {
  if (taken === digits.length) {
    digits = randomFillSync(randomBytes).toString('hex')
    taken = 0
  }
  taken += idDigits
  return digits.slice(taken - idDigits, taken)
}
