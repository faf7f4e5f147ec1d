// Which requests an answer is for (RFC 9111 §4.1): the names in its Vary, and a digest of what the request had there.
// A digest: cookies and tokens are not kept where answers are.
// The danger it guards against: an answer in another language, or for another cookie, than was asked for.
import { createHash } from 'node:crypto'
import type { Fields } from '../model.ts'

/** In lower case and in order; undefined for `*` and for what cannot be read: fits no request. */
export function varyOf(answered: Fields): readonly string[] | undefined {
  const lines = answered.all('vary')
  if (lines.length === 0) return noNames
  const names = lines
    .join(',')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
  if (!names.every((name) => name !== '*' && /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name))) return undefined
  return [...new Set(names)].sort()
}

const noNames: readonly string[] = []

/** The same for two requests that the same answer fits; empty without names. */
export function variantOf(names: readonly string[], asked: Fields): string {
  if (names.length === 0) return ''
  const hash = createHash('sha256')
  for (const name of names) {
    const values = asked.all(name)
    // No field is not an empty one.
    hash.update(values.length === 0 ? `${name}\0` : `${name}:${normalised(name, values.join(', '))}\n`, 'latin1')
  }
  return hash.digest('base64')
}

/** Lists in which neither case nor space means anything (RFC 9110 §12.5.2–4). */
const plainLists = new Set(['accept-encoding', 'accept-language', 'accept-charset'])

function normalised(name: string, value: string): string {
  if (plainLists.has(name)) return value.toLowerCase().replace(/[\t ]+/g, '')
  // Parameters of Accept may have quotes, and case in them.
  return name === 'accept' && !value.includes('"') ? value.replace(/[\t ]*([,;])[\t ]*/g, '$1') : value
}
