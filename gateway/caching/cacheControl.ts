// Cache-Control (RFC 9111 §5.2), read so that a mistake in it makes us more careful.
// The danger it guards against: `Private`, `max-age="0"` or `public;private`, which a naive parser takes for silence.
import type { Fields } from '../model.ts'

export interface Directives {
  /** Whether it is there, however spoilt: to be asked of what forbids. */
  has(name: string): boolean
  /** Whether it is there as the grammar has it: to be asked of what permits. */
  permits(name: string): boolean
  /** The least of its values in milliseconds; 0 for one that cannot be read; undefined when it is not there. */
  ms(name: string): number | undefined
  /** The greatest of them; Infinity for one that cannot be read. */
  mostMs(name: string): number | undefined
}

/** RFC 9111 §1.2.2: more seconds than anybody counts are this many. */
const mostSeconds = 2 ** 31

const piece = /(?:[^",]|"(?:[^"\\]|\\.)*"?)+/g
const directive =
  /^[\t ]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)"))?[\t ]*$/
const word = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/g

/** What a directive has in place of a value that cannot be read. */
const spoilt = Symbol('spoilt')
type Value = string | undefined | typeof spoilt

const nothing: Directives = { has: () => false, permits: () => false, ms: () => undefined, mostMs: () => undefined }

export function cacheControlOf(fields: Fields): Directives {
  const lines = fields.all('cache-control')
  return lines.length === 0 ? nothing : new Parsed(lines.join(','))
}

class Parsed implements Directives {
  readonly #values = new Map<string, Value[]>()

  constructor(text: string) {
    for (const [part] of text.matchAll(piece)) this.#take(part)
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  permits(name: string): boolean {
    return this.#values.get(name)?.every((value) => value !== spoilt) ?? false
  }

  ms(name: string): number | undefined {
    const values = this.#values.get(name)
    // RFC 9111 §4.2.1: what contradicts itself had better be stale.
    return values && Math.min(...values.map((value) => secondsOf(value, 0))) * 1000
  }

  mostMs(name: string): number | undefined {
    const values = this.#values.get(name)
    return values && Math.max(...values.map((value) => secondsOf(value, Number.POSITIVE_INFINITY))) * 1000
  }

  #take(part: string): void {
    const [, name, token, quoted] = directive.exec(part) ?? []
    if (name !== undefined) this.#add(name, token ?? quoted?.replace(/\\(.)/g, '$1'))
    // `no-store; max-age=5`, a quote without its end: every word of it may have been meant, and none is granted.
    else for (const [one] of part.matchAll(word)) this.#add(one, spoilt)
  }

  #add(name: string, value: Value): void {
    const known = this.#values.get(name.toLowerCase())
    if (known) known.push(value)
    else this.#values.set(name.toLowerCase(), [value])
  }
}

function secondsOf(value: Value, unreadable: number): number {
  if (typeof value !== 'string' || !/^[0-9]+$/.test(value)) return unreadable
  return Math.min(Number(value), mostSeconds)
}
