// Two answers to one request, compared: status, chosen fields, body.
// The danger it guards against: calling two answers the same of which one could not be read.
import type { Compared, CompareRules, Comparison } from './comparison.ts'
import { type Content, contentOf } from './content.ts'
import { compareFields } from './fields.ts'
import { compareJson } from './json.ts'
import type { Show } from './redact.ts'
import { placeOf } from './spot.ts'
import { Tally } from './tally.ts'
import { compareText } from './text.ts'

export function compare(old: Compared, candidate: Compared, rules: CompareRules, show: Show): Comparison {
  const tally = new Tally(show)
  if (old.status !== candidate.status) {
    tally.record(placeOf('status'), 'value', () => [String(old.status), String(candidate.status)])
  }
  compareFields(old, candidate, rules.fields, tally)
  // An error page beside an answer differs in everything, which says no more than the status.
  const isBodyAsked = rules.by !== 'status' && classOf(old) === classOf(candidate)
  return tally.total(isBodyAsked && compareBodies(contentOf(old), contentOf(candidate), rules, tally))
}

const classOf = ({ status }: Compared) => Math.floor(status / 100)

/** @returns whether they could be compared */
function compareBodies(old: Content, candidate: Content, rules: CompareRules, tally: Tally): boolean {
  if (old.kind === candidate.kind && (old.kind === 'tooLarge' || old.kind === 'broken')) return false
  const shown = (): readonly [string, string] => [describe(old, tally.show), describe(candidate, tally.show)]
  if (old.kind !== candidate.kind) tally.record(placeOf('body'), kindOfChange(old, candidate), shown)
  else if (old.kind === 'json' && candidate.kind === 'json') compareJson(old.value, candidate.value, rules, tally)
  else if (rules.by === 'body') compareContents(old, candidate, tally)
  return true
}

/** To a shape there is nothing in them: no more than their kind. */
function compareContents(old: Content, candidate: Content, tally: Tally): void {
  if ('text' in old && 'text' in candidate) compareText(old.text, candidate.text, old.kind, tally)
  if (old.kind !== 'bytes' || candidate.kind !== 'bytes') return
  if (Buffer.compare(old.bytes, candidate.bytes) === 0) return
  tally.record(placeOf('body'), 'value', () => [tally.show(old.bytes), tally.show(candidate.bytes)])
}

function kindOfChange(old: Content, candidate: Content): 'missing' | 'extra' | 'length' | 'type' {
  if (candidate.kind === 'none') return 'missing'
  if (old.kind === 'none') return 'extra'
  return old.kind === 'tooLarge' || candidate.kind === 'tooLarge' ? 'length' : 'type'
}

function describe(content: Content, show: Show): string {
  if (content.kind === 'json') return `json ${show(content.value)}`
  if ('text' in content) return `${content.kind} ${show(content.text)}`
  return content.kind === 'bytes' ? show(content.bytes) : content.kind
}
