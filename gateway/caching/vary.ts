// Which requests an answer is for (RFC 9111 §4.1): the names in its Vary, and what the request had there; a digest of it
// where that may be a secret: cookies and tokens are not kept where answers are.
// The danger it guards against: an answer in another language, or for another cookie, than was asked for.
import { hash } from 'node:crypto'
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

/** Fields that hold no secret, and need no digest. */
const plain = new Set(['accept', 'accept-charset', 'accept-encoding', 'accept-language', 'origin', 'user-agent'])

/** The same for two requests that the same answer fits; empty without names. */
export function variantOf(names: readonly string[], asked: Fields): string {
  if (names.length === 0) return ''
  let text = ''
  for (const name of names) {
    const values = asked.all(name)
    // No field is not an empty one.
    text += values.length === 0 ? `${name}\n` : `${name}:${normalised(name, values.join(', '))}\n`
  }
  return text.length < 500 && names.every((name) => plain.has(name)) ? text : hash('sha256', text, 'base64')
}

/** Lists in which neither case nor space means anything (RFC 9110 §12.5.2–4). */
const plainLists = new Set(['accept-encoding', 'accept-language', 'accept-charset'])

function normalised(name: string, value: string): string {
  if (plainLists.has(name)) return value.toLowerCase().replace(/[\t ]+/g, '')
  // Parameters of Accept may have quotes, and case in them.
  return name === 'accept' && !value.includes('"') ? value.replace(/[\t ]*([,;])[\t ]*/g, '$1') : value
}
