// The nodes of a YAML document as plain values with marks: aliases unfolded, merge keys merged, references resolved.
// The danger it guards against: a key written twice of which one wins silently, an alias that unfolds to gigabytes or
// into itself, and `__proto__` as a key (every mapping here has no prototype).
import { type Alias, isAlias, isMap, isNode, isScalar, isSeq, type Node, type Pair, Scalar, type YAMLMap } from 'yaml'
import type { Position } from '../model.ts'
import { createSubstitution, type Environment, type Substitution, typed } from './environment.ts'
import { below } from './pointer.ts'
import type { Findings } from './problems.ts'

export interface Mark {
  readonly key: Position
  readonly value: Position
  /** A scalar as the file writes it, references unresolved. */
  readonly words?: string
}

interface Reader {
  readonly at: (offset: number) => Position
  readonly env: Environment
  readonly findings: Findings
}

/** Aliases may unfold to this many values: far more than a file needs, far less than a billion laughs. */
const mostAliasedValues = 20_000
const deepest = 64
const start: Position = { line: 1, column: 1 }

type Mapping = Record<string, unknown>

/** One walk over one document without syntax errors. */
export class Unfolding {
  readonly marks = new Map<string, Mark>()
  /** Pointers of values whose references or aliases have nothing to stand for. */
  readonly unresolved = new Set<string>()
  readonly substitution: Substitution
  readonly #reader: Reader
  readonly #anchors = new Map<string, unknown>()
  #aliasDepth = 0
  #aliasedValues = 0

  constructor(reader: Reader) {
    this.#reader = reader
    this.substitution = createSubstitution(reader.env)
  }

  /** @param key the position of the key, or of the list entry, that has this value */
  valueOf(node: unknown, pointer: string, key: Position = start): unknown {
    const value = this.#startOf(node) ?? key
    if (this.#isTooMuch(pointer, value)) return null
    if (!isNode(node)) return null
    if (isAlias(node)) return this.#aliased(node, pointer, { key, value })
    this.#rememberAnchor(node)
    this.marks.set(pointer, { key, value, ...(isScalar(node) && { words: node.source ?? String(node.value) }) })
    if (isScalar(node)) return this.#scalarOf(node, pointer, value)
    if (isSeq(node))
      return node.items.map((item, i) => this.valueOf(item, below(pointer, i), this.#startOf(item) ?? value))
    return isMap(node) ? this.#mappingOf(node, pointer) : null
  }

  #aliased(node: Alias, pointer: string, mark: Mark): unknown {
    this.marks.set(pointer, mark)
    const used = this.#inAlias(node.source, mark.value, (target) => ({
      value: this.valueOf(target, pointer, mark.key),
    }))
    if (!used) this.unresolved.add(pointer)
    return used ? used.value : null
  }

  #mappingOf(node: YAMLMap, pointer: string): Mapping {
    const mapping: Mapping = Object.create(null)
    for (const pair of node.items) {
      const name = isMerge(pair) ? undefined : this.#keyOf(pair)
      if (name === undefined) continue
      const at = this.#startOf(pair.key) ?? start
      if (name in mapping) this.#reportTwice(name, at, below(pointer, name))
      else mapping[name] = this.valueOf(pair.value, below(pointer, name), at)
    }
    for (const { value } of node.items.filter(isMerge)) this.#merge(value, mapping, pointer)
    return mapping
  }

  /** `<<: *name` or `<<: [*one, *other]`: what the mapping does not say itself is taken from there. */
  #merge(node: unknown, into: Mapping, pointer: string): void {
    const at = this.#startOf(node) ?? start
    if (isAlias(node)) this.#inAlias(node.source, at, (target) => this.#merge(target, into, pointer))
    else if (isSeq(node)) for (const item of node.items) this.#merge(item, into, pointer)
    else if (isMap(node)) this.#mergeMapping(node, into, pointer)
    else this.#reader.findings.error(at, '"<<" takes an alias of a mapping, as in "<<: *name"')
  }

  #mergeMapping(node: YAMLMap, into: Mapping, pointer: string): void {
    for (const pair of node.items) {
      const name = isMerge(pair) ? undefined : this.#keyOf(pair)
      if (name === undefined || name in into) continue
      into[name] = this.valueOf(pair.value, below(pointer, name), this.#startOf(pair.key) ?? start)
    }
    for (const { value } of node.items.filter(isMerge)) this.#merge(value, into, pointer)
  }

  #inAlias<T>(name: string, at: Position, use: (target: unknown) => T): T | undefined {
    const target = this.#anchors.get(name)
    if (target === undefined) {
      this.#reader.findings.error(
        at,
        `"*${name}" needs an anchor "&${name}" that ends before it; if it is text, put it in quotes`,
      )
      return undefined
    }
    // Taken away meanwhile, so that an alias inside its own anchor ends here.
    this.#anchors.delete(name)
    this.#aliasDepth++
    const used = use(target)
    this.#aliasDepth--
    this.#anchors.set(name, target)
    return used
  }

  #rememberAnchor(node: Node): void {
    const { anchor } = node as { anchor?: string }
    // Inside an alias, anchors were met before and later ones of the same name may have taken their place.
    if (anchor !== undefined && this.#aliasDepth === 0) this.#anchors.set(anchor, node)
  }

  #isTooMuch(pointer: string, at: Position): boolean {
    const { findings } = this.#reader
    if (pointer.split('/').length > deepest) {
      findings.error(at, `this is nested more than ${deepest} levels deep; flatten it`)
      return true
    }
    if (this.#aliasDepth === 0 || ++this.#aliasedValues <= mostAliasedValues) return false
    if (this.#aliasedValues === mostAliasedValues + 1)
      findings.error(at, `aliases unfold to more than ${mostAliasedValues} values here; write fewer of them`)
    return true
  }

  #scalarOf(node: Scalar, pointer: string, at: Position): unknown {
    const { value } = node
    if (typeof value !== 'string' || !value.includes('${')) return value
    const resolved = this.substitution.resolve(value, (message) => {
      this.unresolved.add(pointer)
      this.#reader.findings.error(at, message)
    })
    const isTyped = node.type === Scalar.PLAIN && node.tag === undefined && resolved !== value
    return isTyped ? typed(resolved) : resolved
  }

  #keyOf({ key }: Pair): string | undefined {
    const name = isScalar(key) ? (typeof key.value === 'string' ? key.value : key.source) : undefined
    if (name) return name
    this.#reader.findings.error(this.#startOf(key) ?? start, 'a key must be plain text before ":"')
    return undefined
  }

  #reportTwice(name: string, at: Position, pointer: string): void {
    const first = this.marks.get(pointer)?.key
    const where = first ? ` (first in line ${first.line})` : ''
    this.#reader.findings.error(at, `the key "${name}" is written twice${where}; remove one of them`)
  }

  #startOf(node: unknown): Position | undefined {
    const offset = isNode(node) ? node.range?.[0] : undefined
    return offset === undefined ? undefined : this.#reader.at(offset)
  }
}

function isMerge({ key }: Pair): boolean {
  return isScalar(key) && key.value === '<<' && key.type === Scalar.PLAIN
}
