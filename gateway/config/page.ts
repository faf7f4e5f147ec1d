// The file under reading, as those see it who resolve what it says: what is written, what of it holds, whom to tell.
import type { FilterKind } from '../filter.ts'
import type { Upstream } from '../model.ts'
import type { Checked } from './check.ts'
import type { Written } from './document.ts'
import { suggest } from './nearest.ts'
import { valueAt } from './pointer.ts'
import type { Findings } from './problems.ts'
import { quote } from './sentences.ts'

export interface Page {
  readonly written: Written
  readonly checked: Checked
  readonly findings: Findings
  readonly kinds: readonly FilterKind[]
}

/** Those that are as they should be, and the names of all. */
export interface KnownUpstreams {
  readonly sound: ReadonlyMap<string, Upstream>
  readonly names: readonly string[]
}

/** A mistake in the value at that pointer. */
export function refuse(page: Page, pointer: string, message: string): undefined {
  page.findings.error(page.written.positionOf(pointer), message)
  return undefined
}

/** The value at that pointer as the file writes it, in quotes. */
export function wordsAt({ written }: Page, pointer: string): string {
  return quote(written.wordsAt(pointer) ?? String(valueAt(written.value, pointer)))
}

/** The Upstream that is named there. @returns undefined when there is none, or when it has a mistake of its own */
export function referredUpstream(page: Page, pointer: string, known: KnownUpstreams): Upstream | undefined {
  const name = page.checked.at<string>(pointer)
  // Without any upstream that one mistake is told, and not once more for each name.
  if (name === undefined || known.names.length === 0) return undefined
  if (known.names.includes(name)) return known.sound.get(name)
  const isLiteral = page.written.wordsAt(pointer) === name
  const meant = (isLiteral && suggest(name, known.names)) || `; the upstreams are ${known.names.join(', ')}`
  return refuse(page, pointer, `unknown upstream ${wordsAt(page, pointer)}${meant}`)
}
