// JSON as it is written, not as JavaScript would have it: whole numbers of any size, keys that occur twice, `__proto__` a key like
// any other (RFC 8259 §4, §6).
// The danger it guards against: a difference that parsing removes, such as a 19-digit id that a candidate rounds; and nesting so deep
// that walking it breaks the stack.

/** A whole number that a double cannot hold is a bigint. */
export type Json = null | boolean | string | number | bigint | readonly Json[] | JsonObject

export class JsonObject {
  /** The last value of each key, in the order of their first. */
  readonly members: ReadonlyMap<string, Json>
  /** Keys that occur more than once: readers disagree on which of them counts. */
  readonly repeated: ReadonlySet<string>

  constructor(members: ReadonlyMap<string, Json>, repeated: ReadonlySet<string> = none) {
    this.members = members
    this.repeated = repeated
  }
}

const mostDepth = 200
const mostDigits = 400
const none: ReadonlySet<string> = new Set()
const emptyObject = new JsonObject(new Map())

/** @returns undefined when the text is no JSON, or none that anybody means */
export function readJson(text: string): Json | undefined {
  try {
    // V8 judges the grammar, without recursion. The reader below may then take it as given.
    JSON.parse(text)
  } catch {
    return undefined
  }
  return isMeantAsJson(text) ? new Reader(text).read() : undefined
}

/** What a value is to whoever reads JSON. */
export function typeOf(value: Json): 'null' | 'boolean' | 'string' | 'number' | 'array' | 'object' {
  if (value === null) return 'null'
  if (typeof value === 'object') return value instanceof JsonObject ? 'object' : 'array'
  return typeof value === 'bigint' ? 'number' : (typeof value as 'boolean' | 'string' | 'number')
}

/** Nobody means deeper nesting, or a longer number: such a body is no less exactly compared as text. */
function isMeantAsJson(text: string): boolean {
  let depth = 0
  let digits = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string
    digits = char >= '0' && char <= '9' ? digits + 1 : 0
    if (char === '"') at = endOfString(text, at)
    else if (char === '[' || char === '{') depth++
    else if (char === ']' || char === '}') depth--
    if (depth > mostDepth || digits > mostDigits) return false
  }
  return true
}

/** The index of the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0
  while (text[at - 1 - slashes] === '\\') slashes++
  return slashes % 2 === 1
}

const numeral = /-?\d+([.eE][\d.eE+-]+)?/y

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): Json {
    const char = this.#peek()
    if (char === '{') return this.#readObject()
    if (char === '[') return this.#readArray()
    if (char === '"') return this.#readString()
    if (char === 't') return this.#skip(4, true)
    if (char === 'f') return this.#skip(5, false)
    if (char === 'n') return this.#skip(4, null)
    return this.#readNumber()
  }

  /** The next character that is no white space; stays at it. */
  #peek(): string {
    while (this.#text.charCodeAt(this.#at) <= 0x20) this.#at++
    return this.#text.charAt(this.#at)
  }

  #skip<T>(length: number, value: T): T {
    this.#at += length
    return value
  }

  #readArray(): Json {
    const elements: Json[] = []
    this.#at++
    while (this.#peek() !== ']') {
      if (this.#peek() === ',') this.#at++
      elements.push(this.read())
    }
    return this.#skip(1, elements)
  }

  #readObject(): Json {
    const members = new Map<string, Json>()
    let repeated: Set<string> | undefined
    this.#at++
    while (this.#peek() !== '}') {
      if (this.#peek() === ',') this.#at++
      this.#peek()
      const key = this.#readString()
      this.#peek()
      this.#at++
      if (members.has(key)) repeated = (repeated ?? new Set()).add(key)
      members.set(key, this.read())
    }
    return this.#skip(1, members.size === 0 ? emptyObject : new JsonObject(members, repeated))
  }

  #readString(): string {
    const start = this.#at
    this.#at = endOfString(this.#text, start) + 1
    const inside = this.#text.slice(start + 1, this.#at - 1)
    return inside.includes('\\') ? JSON.parse(this.#text.slice(start, this.#at)) : inside
  }

  #readNumber(): number | bigint {
    numeral.lastIndex = this.#at
    const [written = '', fraction] = numeral.exec(this.#text) ?? []
    this.#at += written.length
    const value = Number(written)
    return fraction === undefined && !Number.isSafeInteger(value) ? BigInt(written) : value
  }
}
