// `stateDir/break-glass.yaml`: the way back to the old side when nothing else works. It needs neither admin port, store nor a
// writable routes.yaml, and overrides everything.
// The danger it guards against: a file that is there and does nothing. One that cannot be read or understood changes nothing:
// what it said before holds on, loudly, for whoever is writing it wants more broken, not less. It is lifted by a sound file that
// says so, an empty file, or none. It is not kept for a restart: what cannot be understood then breaks nothing, loudly.
import { join } from 'node:path'
import { type Content, readContent } from '../files/content.ts'
import { follow } from '../files/follow.ts'
import type { Problem } from '../model.ts'

export interface BreakGlass {
  /** The names of routes and groups whose requests go to the old side, or those of all. */
  readonly legacy: 'all' | ReadonlySet<string>
  /** The ids of keys that are refused, whatever is known of them elsewhere. */
  readonly denyKeys: ReadonlySet<string>
  /** What is wrong with the file as it is now, as sentences that begin with their place. */
  readonly problems: readonly string[]
}

export interface BreakGlassOptions {
  readonly stateDir: string
  /** What a text says (config/breakGlass.ts); without `legacy` or `denyKeys`: nothing of that that can be understood. */
  read(text: string): Partial<Pick<BreakGlass, 'legacy' | 'denyKeys'>> & { readonly problems: readonly Problem[] }
  /** Each time that it says something else, also at the start if anything is broken then. */
  onChange(now: BreakGlass): void
  /** Each problem once, as long as it lasts. */
  onTrouble(message: string): void
  /** Between two looks at the file. */
  readonly pollMs?: number
  /** Long enough for an editor that moves the old file away before it writes the new one: that must not lift anything. */
  readonly settleMs?: number
}

export interface BreakGlassFile {
  readonly current: BreakGlass
  /** Reads the file and begins to watch it. */
  start(): Promise<BreakGlass>
  /** Reads it now and judges it anew: after a reload of routes.yaml other names are known. */
  look(): Promise<BreakGlass>
  /** Ends once a look under way has ended; no `onChange` after it. */
  close(): Promise<void>
}

const fileName = 'break-glass.yaml'

export function createBreakGlass(options: BreakGlassOptions): BreakGlassFile {
  const { stateDir, onChange, onTrouble, pollMs = 1_000, settleMs = 100 } = options
  const file = join(stateDir, fileName)
  let current: BreakGlass = { legacy: new Set(), denyKeys: new Set(), problems: [] }
  let last: Content | undefined
  let isClosed = false
  const follower = follow({ file, pollMs, settleMs, onContent: take })

  function take(content: Content): void {
    last = content
    const before = current
    const { legacy, denyKeys, problems } = readingOf(content, options)
    const told = problems.map(({ line, column, message }) => `${fileName}:${line}:${column}  ${message}`)
    if (!legacy) told.push(`${fileName} is not understood; ${holdsOn(before.legacy)}`)
    if (!denyKeys && (legacy || before.denyKeys.size > 0))
      told.push(`${fileName}: denyKeys is not understood; ${deniesOn(before.denyKeys)}`)
    current = Object.freeze({ legacy: legacy ?? before.legacy, denyKeys: denyKeys ?? before.denyKeys, problems: told })
    for (const message of told.filter((one) => !before.problems.includes(one))) onTrouble(message)
    if (!isSame(current.legacy, before.legacy) || !isSame(current.denyKeys, before.denyKeys)) tellChange()
  }

  function tellChange(): void {
    try {
      onChange(current)
    } catch (thrown) {
      onTrouble(`what ${fileName} says is not in force everywhere: ${thrown}`)
    }
  }

  return {
    get current() {
      return current
    },
    async start() {
      const content = await readContent(file)
      take(content)
      if (!isClosed) follower.start(content.hash)
      return current
    },
    async look() {
      await follower.look()
      if (last && !isClosed) take(last)
      return current
    },
    close() {
      isClosed = true
      return follower.close()
    },
  }
}

function readingOf(content: Content, { read }: BreakGlassOptions): ReturnType<BreakGlassOptions['read']> {
  if (content.isMissing) return { legacy: new Set(), denyKeys: new Set(), problems: [] }
  if (content.problem) return { problems: [content.problem] }
  try {
    return read(content.text)
  } catch (thrown) {
    return { problems: [{ severity: 'error', line: 1, column: 1, message: `the gateway failed over it: ${thrown}` }] }
  }
}

function holdsOn(legacy: BreakGlass['legacy']): string {
  if (legacy === 'all') return 'what it said before holds on: legacy: all'
  if (legacy.size > 0) return `what it said before holds on: legacy: [${[...legacy].join(', ')}]`
  return 'it breaks nothing'
}

function deniesOn(ids: BreakGlass['denyKeys']): string {
  return ids.size > 0 ? `these are still denied: ${[...ids].join(', ')}` : 'no key is denied'
}

function isSame(a: BreakGlass['legacy'], b: BreakGlass['legacy']): boolean {
  if (a === 'all' || b === 'all') return a === b
  return a.size === b.size && [...a].every((name) => b.has(name))
}
