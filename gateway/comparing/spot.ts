// A place inside a JSON body, while it is walked: how it is called, and what the rules say of it.
// The danger it guards against: a path that names a person (maps keyed by e-mail address or id), or a body that makes new paths
// without end. A key that looks like an id is `*` in the path, like the index of an array.
import { type Footing, followPaths, nowhere } from './jsonPath.ts'
import type { Show } from './redact.ts'

const mostPathLength = 200
const mostNameLength = 64

/** Where a difference is. */
export interface Place {
  readonly path: string
  readonly isIgnored: boolean
  at(show: Show): string
}

/** Immutable; made on the way down. */
export class Spot implements Place {
  readonly isIgnored: boolean
  readonly #parent: Spot | undefined
  readonly #key: string | number
  readonly #ignore: Footing
  readonly #unordered: Footing
  #path: string | undefined

  private constructor(parent: Spot | undefined, key: string | number, ignore: Footing, unordered: Footing) {
    this.#parent = parent
    this.#key = key
    this.#ignore = ignore
    this.#unordered = unordered
    this.isIgnored = parent?.isIgnored === true || ignore.isEnd
  }

  static root(ignore: readonly string[], unordered: readonly string[]): Spot {
    return new Spot(undefined, '', followPaths(ignore), followPaths(unordered))
  }

  down(key: string | number): Spot {
    return new Spot(this, key, this.#ignore.down(key), this.#unordered.down(key))
  }

  /** Whether the order of this array does not matter. */
  get isUnordered(): boolean {
    return this.#unordered.isEnd
  }

  /** Whether nothing here or below is ignored. */
  get isWholeCompared(): boolean {
    return !this.isIgnored && this.#ignore === nowhere
  }

  /** With `[*]` for indexes and `.*` for keys that are no names. */
  get path(): string {
    this.#path ??= this.#parent === undefined ? '$' : lengthen(this.#parent.path, generalised(this.#key))
    return this.#path
  }

  at(show: Show): string {
    if (this.#parent === undefined) return '$'
    return lengthen(this.#parent.at(show), exactly(this.#key, show))
  }
}

/** A place outside of any JSON: `status`, `field:content-type`, `body`. */
export function placeOf(path: string, at = path): Place {
  return { path, isIgnored: false, at: () => at }
}

/** What is deeper than a path can say has the same path as what it is in. */
function lengthen(path: string, step: string): string {
  if (path.endsWith('…')) return path
  return path.length + step.length > mostPathLength ? `${path}…` : path + step
}

function generalised(key: string | number): string {
  if (typeof key === 'number') return '[*]'
  return isName(key) ? named(key) : '.*'
}

function exactly(key: string | number, show: Show): string {
  if (typeof key === 'number') return `[${key}]`
  return isName(key) ? named(key) : `[${show(key)}]`
}

const named = (key: string) => (/^[\w$-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`)

/** Whether a key names a property; a number, date, uuid, hash, address or token is rather a value that a map is keyed by. */
function isName(key: string): boolean {
  if (key.length > mostNameLength || /^\d|\d{5}|.@|[\p{Cc}\p{Cf}\p{Cs}]/u.test(key)) return false
  const digits = key.match(/\d/g)?.length ?? 0
  return !(key.length >= 16 && (digits >= 3 || /^[0-9a-f-]+$/i.test(key)))
}
