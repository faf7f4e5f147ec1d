// HTTP fields as a list in wire order with a case-insensitive look-up beside it.
// The danger it guards against: a field that is folded, re-cased or reordered on its way (RFC 9110 §5.2, §5.3).
import type { Fields } from '../model.ts'

class FieldList implements Fields {
  readonly raw: readonly string[]
  /** The same as lines on the wire, once they are known. */
  lines: string | undefined

  constructor(raw: readonly string[], lines: string | undefined) {
    this.raw = raw
    this.lines = lines
  }

  get(name: string): string | undefined {
    const { raw } = this
    for (let i = 0; i < raw.length; i += 2) if (sameName(raw[i] as string, name)) return raw[i + 1]
    return undefined
  }

  all(name: string): readonly string[] {
    const values: string[] = []
    const { raw } = this
    for (let i = 0; i < raw.length; i += 2) if (sameName(raw[i] as string, name)) values.push(raw[i + 1] as string)
    return values
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }
}

/**
 * Whether two field names are the same in any case (ASCII, RFC 9110 §5.1). Letter by letter: a copy in lower case, and the hash
 * of it for a Set, cost 1.5 % of a small request; `===` would leave JavaScript for a name that V8 keeps as a slice of its head
 * (13 letters and more), and cost half a microsecond.
 */
export function sameName(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at += 1) {
    const one = a.charCodeAt(at)
    const other = b.charCodeAt(at)
    if (one !== other && (letterOf(one) !== letterOf(other) || letterOf(one) === 0)) return false
  }
  return true
}

/** A letter in lower case; 0 for what is none. */
function letterOf(code: number): number {
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x7a ? lower : 0
}

/** Names of fields, looked up in any case. */
export interface Names {
  has(name: string): boolean
  /** What tells them from a Set, which would tell names in another case apart. */
  readonly isAnyCase: true
}

/**
 * Most names differ from all of these in length already: they cost no comparison.
 * @param names as they are mostly written: a letter in the same case is compared in half the time
 */
export function namesOf(names: readonly string[]): Names {
  const longest = Math.max(0, ...names.map(({ length }) => length))
  const byLength = Array.from({ length: longest + 1 }, (_, length) => names.filter((name) => name.length === length))
  return {
    isAnyCase: true,
    has(name) {
      const known = name.length <= longest ? (byLength[name.length] as readonly string[]) : none
      for (let i = 0; i < known.length; i += 1) if (sameName(known[i] as string, name)) return true
      return false
    },
  }
}

const none: readonly string[] = []

/**
 * @param raw name, value, name, value …; owned by the result from now on.
 * @param lines the same as `name: value CRLF` each, where somebody has that text already
 */
export function fieldsOf(raw: readonly string[], lines?: string): Fields {
  return new FieldList(raw, lines)
}

export const noFields: Fields = fieldsOf([])

/** The fields of other names. What is known as lines stays in pieces: to put them together anew would cost twice as much. */
export function without(fields: Fields, names: Names): Fields {
  const all = fields.raw
  if (indexOfOne(all, names) < 0) return fields
  const lines = knownLines(fields)
  const raw: string[] = []
  let kept = ''
  let from = 0
  let at = 0
  for (let i = 0; i < all.length; i += 2) {
    const name = all[i] as string
    const value = all[i + 1] as string
    const end = at + name.length + value.length + lineSigns
    if (names.has(name)) {
      kept += lines?.slice(from, at) ?? ''
      from = end
    } else raw.push(name, value)
    at = end
  }
  return fieldsOf(raw, lines && kept + lines.slice(from))
}

/** The colon, the blank and the line's end. */
const lineSigns = 4

/** @returns the index of the first field of one of these names; -1 without any */
export function indexOfOne(raw: readonly string[], names: Names): number {
  for (let i = 0; i < raw.length; i += 2) if (names.has(raw[i] as string)) return i
  return -1
}

function knownLines(fields: Fields): string | undefined {
  return fields instanceof FieldList ? fields.lines : undefined
}

/** With others behind them. @param raw name, value … */
export function withMore(fields: Fields, raw: readonly string[]): Fields {
  const lines = knownLines(fields)
  return fieldsOf([...fields.raw, ...raw], lines === undefined ? undefined : withFieldLines(lines, raw))
}

/** A copy with that field once, in place of the first one of that name, else at the end. */
export function withField(fields: Fields, name: string, value: string): Fields {
  const raw: string[] = []
  let isPlaced = false
  for (let i = 0; i < fields.raw.length; i += 2) {
    const known = fields.raw[i] as string
    if (!sameName(known, name)) raw.push(known, fields.raw[i + 1] as string)
    else if (!isPlaced) {
      raw.push(known, value)
      isPlaced = true
    }
  }
  if (!isPlaced) raw.push(name, value)
  return fieldsOf(raw)
}

/** As lines on the wire. */
export function linesOf(fields: Fields): string {
  if (!(fields instanceof FieldList)) return withFieldLines('', fields.raw)
  fields.lines ??= withFieldLines('', fields.raw)
  return fields.lines
}

/** The text with these field lines behind it. @param raw name, value … */
export function withFieldLines(text: string, raw: readonly string[]): string {
  let lines = text
  for (let i = 0; i < raw.length; i += 2) {
    // Piece by piece: a text that grows at its end only is put on the wire in two thirds of the time that a nested one takes.
    lines += raw[i]
    lines += ': '
    lines += raw[i + 1]
    lines += '\r\n'
  }
  return lines
}
