// Sets and removes one key of one mapping of routes.yaml by a single cut into its text, in the style of its neighbours.
// The danger it guards against: a comment, a line break or a quote of the operator's that an edit takes with it.
import { isAlias, isNode, isScalar, type Pair, Scalar, type YAMLMap } from 'yaml'
import { mappingAt, ownPair, type Place } from './editPlace.ts'
import { Refusal, type Sheet } from './editSheet.ts'
import { below, valueAt } from './pointer.ts'

interface Entry {
  readonly key: string
  readonly value: string
  /** The key behind which it goes when it is not there yet. */
  readonly after: string
}

/** @returns the whole text. @throws Refusal */
export function putKey(sheet: Sheet, place: Place, entry: Entry): string {
  const mapping = mappingAt(sheet, place)
  const pair = pairAt(sheet, place, entry.key)
  if (pair) return replaceValue(sheet.text, pair, entry.value)
  const before = ownPair(sheet, mapping, entry.after)
  const neighbour = before && endsInItsLine(before) ? before : undefined
  return mapping.flow
    ? insertInFlow(sheet.text, { mapping, neighbour, entry })
    : insertInBlock(sheet.text, { mapping, neighbour, entry })
}

/** @returns the whole text; the comment behind the key stays. @throws Refusal */
export function dropKey(sheet: Sheet, place: Place, key: string): string {
  const mapping = mappingAt(sheet, place)
  const pair = pairAt(sheet, place, key)
  if (!pair) return sheet.text
  return mapping.flow
    ? dropFromFlow(sheet.text, mapping, pair)
    : dropFromBlock(sheet.text, pair, `the ${key} of ${place.who}`)
}

/** Its pair, if the value is its own. @throws Refusal */
function pairAt(sheet: Sheet, place: Place, key: string): Pair | undefined {
  const pair = ownPair(sheet, mappingAt(sheet, place), key)
  const what = `the ${key} of ${place.who}`
  const isMerged = !pair && valueAt(sheet.value, below(place.pointer, key)) !== undefined
  if (isMerged) throw new Refusal(`${what} comes through a merge key "<<"`)
  if (!pair) return undefined
  if (isAlias(pair.value)) {
    throw new Refusal(`${what} is the alias "*${pair.value.source}", which is shared with another place`)
  }
  if (!isWord(pair.value)) throw new Refusal(`${what} is not one word`)
  if (String(pair.value.source).includes('${')) throw new Refusal(`${what} comes from the environment`)
  return pair
}

/** A scalar that is there, and not in block style. */
function isWord(node: unknown): node is Scalar {
  return isScalar(node) && quotes.has(String(node.type)) && endOf(node) > startOf(node)
}

const quotes: ReadonlyMap<string, string> = new Map([
  [Scalar.PLAIN, ''],
  [Scalar.QUOTE_SINGLE, "'"],
  [Scalar.QUOTE_DOUBLE, '"'],
])

function replaceValue(text: string, { value: node }: Pair, value: string): string {
  if (isScalar(node) && node.value === value) return text
  return splice(text, startOf(node), endOf(node), quoted(node, value))
}

interface Insertion {
  readonly mapping: YAMLMap
  readonly neighbour: Pair | undefined
  readonly entry: Entry
}

function insertInBlock(text: string, { mapping, neighbour, entry }: Insertion): string {
  const model = neighbour ?? mapping.items[0]
  const key = startOf(model?.key)
  const lineBreak = breakAt(text, lineEnd(text, key)) || anyBreak(text)
  const indent = ' '.repeat(key - lineStart(text, key))
  const words = wordsLike(model, entry, ': ')
  if (!neighbour) return splice(text, key, key, words + lineBreak + indent)
  const end = lineEnd(text, endOf(neighbour.value))
  return splice(text, end, end, lineBreak + indent + words)
}

function insertInFlow(text: string, { mapping, neighbour, entry }: Insertion): string {
  const model = neighbour ?? mapping.items[0]
  if (!model) {
    const inside = startOf(mapping) + 1
    return splice(text, inside, inside, ` ${wordsLike(model, entry, ': ')}${text[inside] === '}' ? ' ' : ''}`)
  }
  // As in JSON without spaces.
  const isTight = text.slice(endOf(model.key), startOf(model.value)) === ':'
  const words = wordsLike(model, entry, isTight ? ':' : ': ')
  const comma = isTight ? ',' : ', '
  const at = neighbour ? endOf(neighbour.value) : startOf(model.key)
  return splice(text, at, at, neighbour ? comma + words : words + comma)
}

function dropFromBlock(text: string, { key, value }: Pair, what: string): string {
  const [from, end] = [lineStart(text, startOf(key)), lineEnd(text, endOf(value))]
  if (text.slice(from, startOf(key)).trim() !== '' || /\n/.test(text.slice(startOf(key), endOf(value)))) {
    throw new Refusal(`${what} does not stand in a line of its own`)
  }
  const comment = text.slice(endOf(value), end).indexOf('#')
  if (comment >= 0) return splice(text, startOf(key), endOf(value) + comment, '')
  const lineBreak = breakAt(text, end)
  if (lineBreak !== '') return splice(text, from, end + lineBreak.length, '')
  // The last line of a file without a break at its end leaves none behind.
  return splice(text, lineEnd(text, from - 1), end, '')
}

function dropFromFlow(text: string, mapping: YAMLMap, pair: Pair): string {
  const previous = mapping.items[mapping.items.indexOf(pair) - 1]
  const [start, end] = [startOf(pair.key), endOf(pair.value)]
  const last = previous && (endOf(previous.value) || endOf(previous.key))
  if (last && /^\s*,\s*$/.test(text.slice(last, start))) return splice(text, last, end, '')
  const [comma = ''] = /^\s*,[ \t]*/.exec(text.slice(end)) ?? []
  return splice(text, start, end + comma.length, '')
}

/** The entry with the quotes of its neighbour. */
function wordsLike(model: Pair | undefined, { key, value }: Entry, colon: string): string {
  return `${quoted(model?.key, key)}${colon}${quoted(model?.value, value)}`
}

function quoted(model: unknown, word: string): string {
  const quote = isScalar(model) ? (quotes.get(String(model.type)) ?? '') : ''
  return `${quote}${word}${quote}`
}

/** Whether what follows its value is the end of its line, or a comment. */
function endsInItsLine({ value }: Pair): boolean {
  return isAlias(value) || isWord(value)
}

function startOf(node: unknown): number {
  return (isNode(node) && node.range?.[0]) || 0
}

function endOf(node: unknown): number {
  return (isNode(node) && node.range?.[1]) || 0
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1
}

/** Where the line ends, before its break. */
function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset)
  if (end < 0) return text.length
  return text[end - 1] === '\r' ? end - 1 : end
}

function breakAt(text: string, offset: number): string {
  return /^\r?\n/.exec(text.slice(offset, offset + 2))?.[0] ?? ''
}

function anyBreak(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n'
}

function splice(text: string, start: number, end: number, words: string): string {
  return text.slice(0, start) + words + text.slice(end)
}
