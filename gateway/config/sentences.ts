// What is wrong with a value or a key, as a person would say it, with the remedy.
// The danger it guards against: "must NOT have additional properties", and a password quoted from a URL.
import type { ErrorObject } from 'ajv'
import { suggest } from './nearest.ts'
import { lastStep, parentOf } from './pointer.ts'
import { isReserved, reservedSentence } from './reserved.ts'

/** What of a schema a sentence is made of. */
export interface Shape {
  readonly type?: string | readonly string[]
  readonly title?: string
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly pattern?: string
  readonly patternProperties?: unknown
  readonly anyOf?: readonly Shape[]
  readonly items?: Shape
  readonly properties?: Readonly<Record<string, Shape>>
  readonly minimum?: number
  readonly maximum?: number
  /** It is, or by mistake may be, a secret: what stands there is not told (JSON Schema Validation §9.4). */
  readonly writeOnly?: boolean
}

/** @param words the value as the file writes it; undefined for mappings, lists and nothing */
export function sentenceOf(error: ErrorObject, words: string | undefined): string {
  const { instancePath, keyword, params } = error
  const shape = (error.parentSchema ?? {}) as Shape
  const subject = subjectOf(instancePath)
  if (keyword === 'additionalProperties') return unknownKey(instancePath, params.additionalProperty, shape)
  if (keyword === 'propertyNames') {
    const { title } = error.schema as Shape
    return `the name ${quote(params.propertyName)} must be ${title ?? 'another one'}`
  }
  if (keyword === 'required') return missingKey(instancePath, params.missingProperty, shape)
  if (keyword === 'minItems')
    return `${subject} needs at least ${count(params.limit, 'entry', 'entries')}; add one or remove the key`
  if (keyword === 'maxItems') return `${subject} takes at most ${count(params.limit, 'entry', 'entries')}`
  if (keyword === 'minProperties')
    return `${subject} needs at least ${count(params.limit, 'key', 'keys')}; add one or remove it`
  if (keyword === 'uniqueItems') return `${subject} lists the same entry twice; remove one of them`
  if (keyword === 'enum' && typeof error.data === 'string') return notAmong(error.data, subject, { shape, words })
  return `${subject} must be ${expected(shape)}${shape.writeOnly ? '' : instead(error, words, shape)}`
}

function unknownKey(pointer: string, key: string, shape: Shape): string {
  if (isReserved(pointer, key)) return reservedSentence(quote(key), 'remove it')
  const known = Object.keys(shape.properties ?? {})
  if (shape.patternProperties)
    return `${subjectOf(pointer)} takes no key like ${quote(key)}; remove it or mend its name`
  const meant = suggest(key, known)
  return `unknown key ${quote(key)}${meant || (known.length > 0 ? `; ${subjectOf(pointer)} takes ${known.join(', ')}` : '; remove it')}`
}

function missingKey(pointer: string, key: string, shape: Shape): string {
  const about = shape.properties?.[key]?.description
  return `${subjectOf(pointer)} needs the key "${key}"${about ? `: ${uncapitalised(about)}` : ''}`
}

function notAmong(
  value: string,
  subject: string,
  { shape, words }: { shape: Shape; words: string | undefined },
): string {
  const choices = (shape.enum ?? []).map(String)
  const written = words ?? value
  // A value that came from the environment is not quoted, nor is what it resembles told.
  if (written !== value) return `${subject} must be ${expected(shape)}, not ${quote(written)}`
  return `${subject} must be ${expected(shape)}, not ${quote(value)}${suggest(value, choices)}`
}

/** What the file has instead; and the quotes around a number, where they would mend it. */
function instead(error: ErrorObject, words: string | undefined, { type, pattern }: Shape): string {
  if (error.data === null) return '; it has no value'
  if (words === undefined) return Array.isArray(error.data) ? ', not a list' : ', not a mapping'
  if (error.keyword !== 'type') return `, not ${quote(words)}`
  // Unquoted, a reference to a number would be one.
  const isQuoted = (type === 'integer' || type === 'number') && /^[0-9.]+$/.test(String(error.data))
  if (isQuoted && typeof error.data === 'string') return `, not the text ${quote(words)}; take the quotes away`
  const wantsText = type === 'string' && new RegExp(pattern ?? '').test(words)
  return wantsText ? `, not the ${typeof error.data} ${words}; put it in quotes` : `, not ${quote(words)}`
}

/** What a value must be, to complete the sentence "… must be …". */
export function expected(shape: Shape): string {
  if (shape.title) return shape.title
  if (shape.const !== undefined) return quote(String(shape.const))
  if (shape.enum) return orOf(shape.enum.map((value) => quote(String(value))))
  if (shape.anyOf)
    return orOf(
      shape.anyOf.flatMap(
        ({ enum: choices, ...form }) => choices?.map((choice) => quote(String(choice))) ?? expected(form),
      ),
    )
  if (shape.minimum !== undefined && shape.maximum !== undefined)
    return `${typeNames[String(shape.type)]} from ${shape.minimum} to ${shape.maximum}`
  if (shape.pattern)
    return `text of the form ${shape.pattern}${shape.description ? ` (${uncapitalised(shape.description)})` : ''}`
  if (shape.type === 'object') return mappingOf(shape)
  return typeof shape.type === 'string' ? (typeNames[shape.type] ?? shape.type) : 'of another type'
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  null: 'nothing',
}

function mappingOf({ properties }: Shape): string {
  const keys = Object.keys(properties ?? {})
  return keys.length > 0 ? `a mapping (${keys.slice(0, 4).join(', ')}${keys.length > 4 ? ', …' : ''})` : 'a mapping'
}

/** The key that a person would name: of a list's entry the list's. */
function subjectOf(pointer: string): string {
  if (pointer === '') return 'the file'
  const step = lastStep(pointer)
  const list = lastStep(parentOf(pointer))
  const kind = { upstreams: 'upstream', groups: 'group' }[list]
  if (!/^[0-9]+$/.test(step)) return kind ? `the ${kind} "${step}"` : step
  return list === 'routes' ? 'a route' : `each entry of ${list}`
}

function orOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

function count(number: number, one: string, many: string): string {
  return number === 1 ? `one ${one}` : `${number} ${many}`
}

function uncapitalised(text: string): string {
  return /^[A-Z][a-z]/.test(text)
    ? text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '')
    : text.replace(/\.$/, '')
}

/** Shortened, and without what may be secret of a URL: its user information, its query and its fragment. */
export function quote(words: string): string {
  const shown = words.replace(/\/\/[^/@\s]*@/, '//…@').replace(/(\/\/[^?#]*[?#]).+/s, '$1…')
  return `"${shown.length > 40 ? `${shown.slice(0, 39)}…` : shown}"`
}
