// Faults on demand: which share of the requests fails, in which way, drawn from a seed.
// The danger it guards against: a test of failure that fails differently each time, or a mistyped key that injects nothing.
import { randomFrom } from './prng.ts'

/** Shares of all requests (0 … 1, together at most 1) and times that every request pays. */
export interface FaultSettings {
  /** Answered 500 without being run. */
  readonly errorShare: number
  /** Never answered, not run; ends when the connection does. */
  readonly hangShare: number
  /** The connection is reset before any byte of an answer; not run. */
  readonly resetShare: number
  /** Run; the connection ends in the middle of the answer's body. */
  readonly truncateShare: number
  /** Before the request is run. */
  readonly delayMs: number
  /** In the middle of the answer's body. */
  readonly slowBodyMs: number
  readonly seed: number
  /** Paths, each with all below it; empty means every path. */
  readonly paths: readonly string[]
}

export type FaultKind = 'error' | 'hang' | 'reset' | 'truncate'

/** What is in store for one request. */
export interface Fate {
  readonly fault?: FaultKind
  readonly delayMs: number
  readonly slowBodyMs: number
}

export const noFaults: FaultSettings = {
  errorShare: 0,
  hangShare: 0,
  resetShare: 0,
  truncateShare: 0,
  delayMs: 0,
  slowBodyMs: 0,
  seed: 1,
  paths: [],
}

const longestMs = 60_000
const unharmed: Fate = { delayMs: 0, slowBodyMs: 0 }

const isShare = (value: unknown) => typeof value === 'number' && value >= 0 && value <= 1
const isTime = (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= longestMs
const isPath = (value: unknown) => typeof value === 'string' && value.startsWith('/')

const share = { isRight: isShare, wants: 'a number from 0 to 1' }
const time = { isRight: isTime, wants: `whole milliseconds from 0 to ${longestMs}` }
const rules: Readonly<Record<keyof FaultSettings, { isRight(value: unknown): boolean; wants: string }>> = {
  errorShare: share,
  hangShare: share,
  resetShare: share,
  truncateShare: share,
  delayMs: time,
  slowBodyMs: time,
  seed: { isRight: Number.isInteger, wants: 'a whole number' },
  paths: {
    isRight: (value) => Array.isArray(value) && value.every(isPath),
    wants: 'a list of paths that begin with /',
  },
}

/** @returns the settings, or a sentence that says what is wrong with the first mistake. */
export function readFaults(wish: unknown): FaultSettings | string {
  if (typeof wish !== 'object' || wish === null || Array.isArray(wish)) return 'faults must be a JSON object'
  for (const [key, value] of Object.entries(wish)) {
    const rule = Object.hasOwn(rules, key) ? rules[key as keyof FaultSettings] : undefined
    if (!rule) return `unknown key "${key}"; known are ${Object.keys(rules).join(', ')}`
    if (!rule.isRight(value)) return `${key} must be ${rule.wants}`
  }
  const settings: FaultSettings = { ...noFaults, ...wish }
  const sum = settings.errorShare + settings.hangShare + settings.resetShare + settings.truncateShare
  return sum > 1 + Number.EPSILON ? 'the four shares together must not exceed 1' : settings
}

export class Faults {
  #settings = noFaults
  #random = randomFrom(noFaults.seed)
  readonly injected: Record<FaultKind, number> = { error: 0, hang: 0, reset: 0, truncate: 0 }

  get settings(): FaultSettings {
    return this.#settings
  }

  /** Also starts the row of draws again from the seed. */
  set(settings: FaultSettings): void {
    this.#settings = settings
    this.#random = randomFrom(settings.seed)
  }

  /** One draw per request that the settings concern. */
  draw(path: string): Fate {
    const { paths, delayMs, slowBodyMs } = this.#settings
    if (this.#settings === noFaults) return unharmed
    if (paths.length > 0 && !paths.some((owner) => path === owner || path.startsWith(`${owner}/`))) return unharmed
    const fault = this.#drawFault()
    if (!fault) return { delayMs, slowBodyMs }
    this.injected[fault] += 1
    return { fault, delayMs, slowBodyMs }
  }

  #drawFault(): FaultKind | undefined {
    const { errorShare, hangShare, resetShare, truncateShare } = this.#settings
    let left = this.#random()
    const shares = { error: errorShare, hang: hangShare, reset: resetShare, truncate: truncateShare }
    for (const kind of Object.keys(shares) as FaultKind[]) {
      left -= shares[kind]
      if (left < 0) return kind
    }
    return undefined
  }
}
