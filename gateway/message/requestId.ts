// The name of one request, from the client to every log: the client's own X-Request-Id where it is sane, else made here.
// The danger it guards against: an id that forges log lines or grows them without bound.
import { randomUUID } from 'node:crypto'
import type { Fields } from '../model.ts'

const sane = /^[A-Za-z0-9._-]{8,128}$/

/** @param make makes a new id; an input so that tests own it. */
export function requestIdOf(fields: Fields, make: () => string = randomUUID): string {
  const given = fields.get('x-request-id')
  return given !== undefined && sane.test(given) ? given : make()
}
