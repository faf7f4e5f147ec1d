// The strict grammar of HTTP/1.1 heads (RFC 9110 §5, RFC 9112 §5) that both sides of the gateway parse with.
// The danger it guards against: two parsers that read one head differently, which is all that request smuggling needs
// (RFC 9112 §11.2). Whatever is not exactly this grammar is not understood here at all.
//
//   field-line = token ":" OWS field-value OWS CRLF
//   field-value = nothing, or visible characters and obs-text (%x80-FF) with single or more SP / HTAB between them
//
// No bare CR or LF, no obs-fold, no NUL or other control, no white space before the colon.

import type { Fields } from '../model.ts'
import { fieldsOf, sameName } from './fields.ts'

const other = 0
const token = 1
const visible = 2
const blank = 3

/** What each byte may be part of; a token's bytes are visible too. */
const kindOf = new Uint8Array(256)
for (let code = 0x21; code <= 0x7e; code += 1) kindOf[code] = visible
for (let code = 0x80; code <= 0xff; code += 1) kindOf[code] = visible
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  kindOf[char.charCodeAt(0)] = token
}
const space = 0x20
const tab = 0x09
kindOf[space] = blank
kindOf[tab] = blank

const colon = 0x3a
const cr = 0x0d
const lf = 0x0a

/** Whether a head ends in these bytes, sound or not. */
export function hasHeadEnd(bytes: Buffer): boolean {
  return bytes.includes('\r\n\r\n', 0, 'latin1')
}

export interface FieldLines {
  readonly fields: Fields
  /** The index behind the empty line. */
  readonly end: number
}

/** Where the names and values of the lines under way begin and end: written and read within one call of `parseFieldLines`. */
const marks = new Uint32Array(4 * 1_000)

/**
 * Reads field lines up to the first empty line.
 * @param bytes may go on behind the empty line
 * @param from where the first field line starts
 * @param mostFields more than these are not understood; up to 1000
 * @returns undefined when the bytes are not exactly the grammar, or have no empty line
 */
export function parseFieldLines(bytes: Buffer, from: number, mostFields: number): FieldLines | undefined {
  const mostMarks = Math.min(4 * mostFields, marks.length)
  let marked = 0
  let isPlain = true
  let at = from
  // Charted by hand, and in the bytes: characters of a text cost twice as much to look at, a regular expression per line more.
  while (bytes[at] !== cr) {
    const nameEnd = endOfToken(bytes, at)
    if (nameEnd === at || bytes[nameEnd] !== colon || marked >= mostMarks) return undefined
    const valueStart = skipBlanks(bytes, nameEnd + 1)
    const lineEnd = endOfValue(bytes, valueStart)
    if (bytes[lineEnd] !== cr || bytes[lineEnd + 1] !== lf) return undefined
    const valueEnd = trimBlanks(bytes, valueStart, lineEnd)
    if (valueEnd < lineEnd && bytes.subarray(valueEnd, lineEnd).includes(tab) && isCoding(bytes, at, nameEnd)) {
      return undefined
    }
    marks[marked] = at - from
    marks[marked + 1] = nameEnd - from
    marks[marked + 2] = valueStart - from
    marks[marked + 3] = valueEnd - from
    marked += 4
    isPlain &&= valueStart === nameEnd + 2 && bytes[nameEnd + 1] === space && valueEnd === lineEnd
    at = lineEnd + 2
  }
  if (bytes[at + 1] !== lf) return undefined
  const lines = bytes.toString('latin1', from, at)
  return { fields: fieldsOf(markedParts(lines, marked), isPlain ? lines : undefined), end: at + 2 }
}

/** One text, cut where the marks are: a text made of the bytes of each part would cost as much for each as this for all. */
function markedParts(text: string, marked: number): string[] {
  const parts: string[] = []
  for (let i = 0; i < marked; i += 2) parts[i / 2] = text.slice(marks[i], marks[i + 1])
  return parts
}

/** With a tab behind `chunked` the message is chunked by the grammar, and is not to Node's parser. */
function isCoding(bytes: Buffer, from: number, to: number): boolean {
  return sameName(bytes.toString('latin1', from, to), 'Transfer-Encoding')
}

/** The index after the longest token that starts there. */
export function endOfToken(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length && kindOf[bytes[at] as number] === token) at += 1
  return at
}

/** The index after the longest run of bytes that a value may hold. */
export function endOfValue(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length && kindOf[bytes[at] as number] !== other) at += 1
  return at
}

/** Whether the text, in ASCII, lies there. */
export function liesAt(bytes: Buffer, from: number, text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (bytes[from + i] !== text.charCodeAt(i)) return false
  return true
}

function skipBlanks(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length && kindOf[bytes[at] as number] === blank) at += 1
  return at
}

function trimBlanks(bytes: Buffer, from: number, to: number): number {
  let end = to
  while (end > from && kindOf[bytes[end - 1] as number] === blank) end -= 1
  return end
}

/** Whether a Connection field says that the connection ends with this message (RFC 9112 §9.6). */
export function saysClose(connection: string): boolean {
  return /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(connection)
}

/** How a message's body is delimited (RFC 9112 §6.3); `undefined`: ambiguous, or a coding nobody here knows. */
export type Framing = { readonly kind: 'none' | 'chunked' } | { readonly kind: 'sized'; readonly bytes: number }

export const noBody: Framing = { kind: 'none' }
const chunked: Framing = { kind: 'chunked' }

/**
 * The framing that a head declares. Both fields, several of one, a sign, a list or a coding but `chunked` is ambiguous.
 * @returns undefined when it is; noBody when neither field is there
 */
export function framingOf(raw: readonly string[]): Framing | undefined {
  let framing: Framing | undefined = noBody
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    const declared = framingOfField(name, raw[i + 1] as string)
    if (declared === noBody) continue
    // A second one, or one that is none.
    if (framing !== noBody) return undefined
    framing = declared
  }
  return framing
}

/** @returns noBody for a field that does not frame; undefined when it does, and nobody knows how */
function framingOfField(name: string, value: string): Framing | undefined {
  if (sameName(name, 'Content-Length')) return sized(value)
  if (sameName(name, 'Transfer-Encoding')) {
    return value.toLowerCase() === 'chunked' ? chunked : undefined
  }
  return noBody
}

/** Fifteen digits are all exact as a number, and a petabyte. */
function sized(length: string): Framing | undefined {
  if (length.length === 0 || length.length > 15) return undefined
  let bytes = 0
  for (let at = 0; at < length.length; at += 1) {
    const digit = length.charCodeAt(at) - 0x30
    if (!(digit >= 0 && digit <= 9)) return undefined
    bytes = bytes * 10 + digit
  }
  return { kind: 'sized', bytes }
}
