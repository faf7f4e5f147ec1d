// Reads break-glass.yaml: `legacy: all`, or a list of names of routes and groups; `denyKeys`: a list of ids of keys.
// The danger it guards against: an operator at three in the morning whose slip of the pen is taken for "nothing is wrong". So
// whatever can be understood is taken, whatever cannot is told, and a file of which nothing can be is not taken for an empty one.
import { isKeyId, parseKey } from '../identity/keyFormat.ts'
import type { Problem } from '../model.ts'
import { readDocument, type Written } from './document.ts'
import { suggest } from './nearest.ts'
import { below, isMapping } from './pointer.ts'
import { createFindings, type Findings, hasErrors } from './problems.ts'

export interface BreakGlassReading {
  /** Who goes to the old side; undefined when the file does not say it so that it can be understood. */
  readonly legacy?: 'all' | ReadonlySet<string>
  /** The ids of keys that are refused; undefined when the file does not say it so that it can be understood. */
  readonly denyKeys?: ReadonlySet<string>
  readonly problems: readonly Problem[]
}

const remedy = 'write "legacy: all", "legacy: [NAME, NAME]", or "legacy: []" for none'
const denyRemedy = 'write "denyKeys: [ID, ID]", with what the keys begin with: byn_live_a1B2c3D4'
const keys = ['legacy', 'denyKeys']

/** @param known the names of routes and groups: others are told of, and taken all the same, for a reload may bring them */
export function readBreakGlass(text: string, known: readonly string[]): BreakGlassReading {
  if (saysNothing(text)) return { legacy: new Set(), denyKeys: new Set(), problems: [] }
  const findings = createFindings()
  const written = readDocument(text, {}, findings)
  // Of a key that is written twice, or a reference that stands for nothing, nobody knows what was meant.
  const isClear = written && !hasErrors(findings.list())
  const legacy = isClear && legacyOf(written, known, findings)
  const denyKeys = isClear && denyKeysOf(written, findings)
  return { ...(legacy && { legacy }), ...(denyKeys && { denyKeys }), problems: findings.list() }
}

function saysNothing(text: string): boolean {
  return text.split('\n').every((line) => /^(?:\uFEFF?\s*(?:#.*)?|---|\.\.\.)\s*$/.test(line))
}

function legacyOf(written: Written, known: readonly string[], findings: Findings): BreakGlassReading['legacy'] {
  const { value } = written
  if (!isMapping(value) || Array.isArray(value)) {
    findings.error(written.positionOf(''), `this is no mapping; ${remedy}`)
    return undefined
  }
  for (const key of Object.keys(value).filter((one) => !keys.includes(one))) {
    findings.error(written.keyPositionOf(below('', key)), `unknown key "${key}"${suggest(key, keys)}`)
  }
  if (!('legacy' in value)) {
    if ('denyKeys' in value) return new Set()
    findings.error(written.positionOf(''), `"legacy" is missing; ${remedy}`)
    return undefined
  }
  const names = namesOf(written, { value: value.legacy, pointer: '/legacy', remedy }, findings)
  if (!names || names.has('all')) return names && 'all'
  reportUnknown({ written, names, known, findings })
  return new Set(names.keys())
}

function denyKeysOf(written: Written, findings: Findings): ReadonlySet<string> | undefined {
  const { value } = written
  // Of what is no mapping is told already.
  if (!isMapping(value) || Array.isArray(value)) return undefined
  if (!('denyKeys' in value)) return new Set()
  const list = { value: value.denyKeys, pointer: '/denyKeys', remedy: denyRemedy }
  const ids = namesOf(written, list, findings)
  if (!ids) return undefined
  const denied = new Set<string>()
  for (const [words, at] of ids) {
    // At three in the morning it may well be the whole key that is at hand: that is understood, and not repeated.
    const id = isKeyId(words) ? words : parseKey(words)?.id
    if (id !== undefined) denied.add(id)
    else findings.error(written.positionOf(at), `this is no id of a key; ${denyRemedy}`)
  }
  return denied
}

/** Each with the place where it stands. */
type Names = ReadonlyMap<string, string>

interface List {
  readonly value: unknown
  readonly pointer: string
  readonly remedy: string
}

function namesOf(written: Written, { value: list, pointer, remedy }: List, findings: Findings): Names | undefined {
  const entries = Array.isArray(list)
    ? list.map((value: unknown, i) => ({ value, at: below(pointer, i) }))
    : [{ value: list, at: pointer }]
  const names = new Map<string, string>()
  for (const { value, at } of entries) {
    const name = typeof value === 'number' ? written.wordsAt(at) : value
    if (typeof name === 'string' && name !== '') names.set(name, at)
    else findings.error(written.positionOf(at), `this is no name; ${remedy}`)
  }
  return names.size > 0 || entries.length === 0 ? names : undefined
}

interface Named {
  readonly written: Written
  readonly names: Names
  readonly known: readonly string[]
  readonly findings: Findings
}

function reportUnknown({ written, names, known, findings }: Named): void {
  for (const [name, at] of names) {
    if (known.includes(name)) continue
    const meant = suggest(name, [...known, 'all'])
    findings.warn(written.positionOf(at), `no route or group is called "${name}"${meant}`)
  }
}
