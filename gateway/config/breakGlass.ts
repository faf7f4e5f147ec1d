// Reads break-glass.yaml: `legacy: all`, or a list of names of routes and groups.
// The danger it guards against: an operator at three in the morning whose slip of the pen is taken for "nothing is wrong". So
// whatever can be understood is taken, whatever cannot is told, and a file of which nothing can be is not taken for an empty one.
import type { Problem } from '../model.ts'
import { readDocument, type Written } from './document.ts'
import { suggest } from './nearest.ts'
import { below } from './pointer.ts'
import { createFindings, type Findings, hasErrors } from './problems.ts'

export interface BreakGlassReading {
  /** Who goes to the old side; undefined when the file does not say it so that it can be understood. */
  readonly legacy?: 'all' | ReadonlySet<string>
  readonly problems: readonly Problem[]
}

const remedy = 'write "legacy: all", "legacy: [NAME, NAME]", or "legacy: []" for none'

/** @param known the names of routes and groups: others are told of, and taken all the same, for a reload may bring them */
export function readBreakGlass(text: string, known: readonly string[]): BreakGlassReading {
  if (saysNothing(text)) return { legacy: new Set(), problems: [] }
  const findings = createFindings()
  const written = readDocument(text, {}, findings)
  // Of a key that is written twice, or a reference that stands for nothing, nobody knows what was meant.
  const legacy = written && !hasErrors(findings.list()) && legacyOf(written, known, findings)
  return { ...(legacy && { legacy }), problems: findings.list() }
}

function saysNothing(text: string): boolean {
  return text.split('\n').every((line) => /^(?:\uFEFF?\s*(?:#.*)?|---|\.\.\.)\s*$/.test(line))
}

function legacyOf(written: Written, known: readonly string[], findings: Findings): BreakGlassReading['legacy'] {
  const { value } = written
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    findings.error(written.positionOf(''), `this is no mapping; ${remedy}`)
    return undefined
  }
  for (const key of Object.keys(value).filter((one) => one !== 'legacy')) {
    findings.error(written.keyPositionOf(below('', key)), `unknown key "${key}"${suggest(key, ['legacy'])}`)
  }
  if (!('legacy' in value)) {
    findings.error(written.positionOf(''), `"legacy" is missing; ${remedy}`)
    return undefined
  }
  const names = namesOf(written, value.legacy, findings)
  if (!names || names.has('all')) return names && 'all'
  reportUnknown({ written, names, known, findings })
  return new Set(names.keys())
}

/** Each with the place where it stands. */
type Names = ReadonlyMap<string, string>

function namesOf(written: Written, legacy: unknown, findings: Findings): Names | undefined {
  const pointer = '/legacy'
  const entries = Array.isArray(legacy)
    ? legacy.map((value: unknown, i) => ({ value, at: below(pointer, i) }))
    : [{ value: legacy, at: pointer }]
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
