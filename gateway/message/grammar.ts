// The strict grammar of HTTP/1.1 heads (RFC 9110 §5, RFC 9112 §5) that both sides of the gateway parse with.
// The danger it guards against: two parsers that read one head differently, which is all that request smuggling needs
// (RFC 9112 §11.2). Whatever is not exactly this grammar is not understood here at all.
//
//   field-line = token ":" OWS field-value OWS CRLF
//   field-value = nothing, or visible characters and obs-text (%x80-FF) with single or more SP / HTAB between them
//
// No bare CR or LF, no obs-fold, no NUL or other control, no white space before the colon.

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
kindOf[0x20] = blank
kindOf[0x09] = blank

const colon = 0x3a
const cr = 0x0d
const lf = 0x0a

const headEnd = '\r\n\r\n'
/** Nearly all heads end within it. */
const firstLookBytes = 2 * 1024

/** The head at the beginning of bytes, latin1, with the empty line that ends it; empty when that has not come yet. */
export function headTextOf(bytes: Buffer): string {
  // A string of this length is made and searched in a third of the time that a Buffer is searched in.
  const first = bytes.toString('latin1', 0, firstLookBytes)
  const at = first.indexOf(headEnd)
  const found = at >= 0 || bytes.length <= firstLookBytes ? at : bytes.indexOf(headEnd, firstLookBytes - 3, 'latin1')
  if (found < 0) return ''
  const end = found + headEnd.length
  return end === first.length ? first : bytes.toString('latin1', 0, end)
}

/**
 * Reads field lines up to the empty line that must end the text.
 * @param text latin1, one character a byte; ends with the CRLF CRLF (or the lone CRLF) of its head
 * @param from where the first field line starts
 * @param mostFields more than these are not understood
 * @returns name, value, name, value …; undefined when the text is not exactly the grammar
 */
export function parseFieldLines(text: string, from: number, mostFields: number): string[] | undefined {
  const raw: string[] = []
  let at = from
  // Charted by hand: a regular expression per line costs three times as much, and this runs for every head.
  while (text.charCodeAt(at) !== cr) {
    const nameEnd = endOfToken(text, at)
    if (nameEnd === at || text.charCodeAt(nameEnd) !== colon || raw.length >= 2 * mostFields) return undefined
    const valueStart = skipBlanks(text, nameEnd + 1)
    const lineEnd = endOfValue(text, valueStart)
    if (text.charCodeAt(lineEnd) !== cr || text.charCodeAt(lineEnd + 1) !== lf) return undefined
    const valueEnd = trimBlanks(text, valueStart, lineEnd)
    const name = text.slice(at, nameEnd)
    if (valueEnd < lineEnd && isCoding(name) && text.slice(valueEnd, lineEnd).includes('\t')) return undefined
    raw.push(name, text.slice(valueStart, valueEnd))
    at = lineEnd + 2
  }
  return text.charCodeAt(at + 1) === lf && at + 2 === text.length ? raw : undefined
}

/** With a tab behind `chunked` the message is chunked by the grammar, and is not to Node's parser. */
function isCoding(name: string): boolean {
  return name.length === 17 && name.toLowerCase() === 'transfer-encoding'
}

/** The index after the longest token that starts there. */
export function endOfToken(text: string, from: number): number {
  let at = from
  while (kindOf[text.charCodeAt(at)] === token) at += 1
  return at
}

/** The index after the longest run of characters that a value may hold. */
export function endOfValue(text: string, from: number): number {
  let at = from
  while ((kindOf[text.charCodeAt(at)] ?? other) !== other) at += 1
  return at
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (kindOf[text.charCodeAt(at)] === blank) at += 1
  return at
}

function trimBlanks(text: string, from: number, to: number): number {
  let end = to
  while (end > from && kindOf[text.charCodeAt(end - 1)] === blank) end -= 1
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
  const lengths = valuesOf(raw, 'content-length')
  const codings = valuesOf(raw, 'transfer-encoding')
  if (lengths.length + codings.length > 1) return undefined
  const [length] = lengths
  const [coding] = codings
  if (coding !== undefined) return coding.toLowerCase() === 'chunked' ? chunked : undefined
  if (length === undefined) return noBody
  // Fifteen digits are all exact as a number, and a petabyte.
  return /^\d{1,15}$/.test(length) ? { kind: 'sized', bytes: Number(length) } : undefined
}

const none: readonly string[] = []

/** @param name in lower case */
function valuesOf(raw: readonly string[], name: string): readonly string[] {
  let values = none
  for (let i = 0; i < raw.length; i += 2) {
    const other = raw[i] as string
    // Most names differ in length already: they are passed over without a comparison.
    if (other.length === name.length && other.toLowerCase() === name) values = [...values, raw[i + 1] as string]
  }
  return values
}
