// The chosen fields of two answers, compared by what they mean.
// The danger it guards against: `text/html;charset=UTF-8` reported against `text/html; charset=utf-8` on every answer of a site.
import type { Compared } from './comparison.ts'
import { placeOf } from './spot.ts'
import type { Tally } from './tally.ts'

/** @param names in lower case */
export function compareFields(old: Compared, candidate: Compared, names: readonly string[], tally: Tally): void {
  for (const name of names) {
    const [ours, theirs] = [meaningOf(old.fields, name), meaningOf(candidate.fields, name)]
    if (ours === theirs) continue
    const kind = ours === undefined ? 'extra' : theirs === undefined ? 'missing' : 'value'
    tally.record(placeOf(`field:${name}`), kind, () => [tally.show(ours), tally.show(theirs)])
  }
}

/** All values of that name as one list (RFC 9110 §5.3), or undefined. @param name in lower case */
export function fieldValue(raw: readonly string[], name: string): string | undefined {
  const values = raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name)
  return values.length === 0 ? undefined : values.join(', ')
}

function meaningOf(raw: readonly string[], name: string): string | undefined {
  const value = fieldValue(raw, name)?.trim()
  // RFC 9110 §8.3.1: type, parameter names and charsets in any case, a parameter's value quoted or not.
  if (name !== 'content-type' || value === undefined) return value
  return value
    .toLowerCase()
    .replaceAll(/\s*;\s*/g, ';')
    .replaceAll('"', '')
}
