// The arguments of any scenario: names with values, and numbers within bounds.
// The danger it guards against: a mistyped option that is ignored, and a test that then proves something else.
import { parseArgs } from 'node:util'

export class UsageError extends Error {}

/** What was written for each name that a scenario knows. */
export type Given<Name extends string> = Partial<Record<Name, string>>

/** @param names of options, each with a value. @throws UsageError */
export function readArguments<Name extends string>(args: readonly string[], names: readonly Name[]): Given<Name> {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]))
  try {
    return parseArgs({ args: [...args], options, strict: true }).values as Given<Name>
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

export interface Bounds {
  readonly fallback: number
  readonly min: number
  readonly max: number
}

/** @throws UsageError */
export function numberIn<Name extends string>(given: Given<Name>, name: Name, { fallback, min, max }: Bounds): number {
  const written = given[name]
  if (written === undefined) return fallback
  const value = /^\d{1,10}$/.test(written) ? Number(written) : Number.NaN
  if (value >= min && value <= max) return value
  throw new UsageError(`--${name} must be a whole number from ${min} to ${max}`)
}

/** @param words all that may be written. @throws UsageError */
export function oneOf<Name extends string, Word extends string>(
  given: Given<Name>,
  name: Name,
  words: readonly Word[],
): Word | undefined {
  const written = given[name]
  const word = words.find((one) => one === written)
  if (written !== undefined && word === undefined) throw new UsageError(`--${name} must be one of ${words.join(', ')}`)
  return word
}
