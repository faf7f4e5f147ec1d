// The paths of `ignore` and `unordered`: `$.tookMs`, `$.items[*].id`, `$.items[0]`, `$["odd key"]`, `$.byId.*.at`, `$..updatedAt`.
// The danger it guards against: a path that is misread in silence and ignores nothing, or everything; and one with many `..` that
// takes for ever on a deep body (all the places that it may stand at are one number's bits).

export interface JsonPath {
  readonly text: string
  readonly steps: readonly Step[]
}

interface Step {
  /** `..`: at any depth below. */
  readonly isDeep: boolean
  /** A key, an index, or any of them. */
  readonly key: string | number | undefined
}

const mostSteps = 30
const segment = /(\.\.|\.)([^.[\]*'"\s]+|\*)|(\.\.)?\[(?:(\*)|(\d{1,9})|'([^']*)'|("(?:[^"\\]|\\.)*"))\]/y

/** @returns what is wrong with it and how to write it, as the end of a sentence that begins with the path */
export function parseJsonPath(text: string): JsonPath | { readonly problem: string } {
  if (!text.startsWith('$')) return { problem: `must start with "$"; write "$.${text.replace(/^\.+/, '')}"` }
  const steps: Step[] = []
  for (let at = 1; at < text.length; at = segment.lastIndex) {
    segment.lastIndex = at
    const step = stepOf(segment.exec(text))
    if (!step) return { problem: `cannot be read from "${text.slice(at)}" on; ${remedyFor(text.slice(at))}` }
    steps.push(step)
  }
  if (steps.length > mostSteps) return { problem: `has ${steps.length} steps; write one of at most ${mostSteps}` }
  return { text, steps }
}

function stepOf(match: RegExpExecArray | null): Step | undefined {
  if (!match) return undefined
  const [, dots, name, deep, any, index, single, double] = match
  const isDeep = dots === '..' || deep !== undefined
  if (name === '*' || any) return { isDeep, key: undefined }
  if (index !== undefined) return { isDeep, key: Number(index) }
  const key = double === undefined ? (name ?? single) : unquote(double)
  return key === undefined ? undefined : { isDeep, key }
}

function unquote(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted)
  } catch {
    return undefined
  }
}

function remedyFor(rest: string): string {
  if (/^\.?\[\]/.test(rest)) return 'write "[*]" for all elements'
  if (/^\.?\[-/.test(rest)) return 'count from the front'
  if (/^\.?\[[?(]/.test(rest)) return 'conditions are not supported'
  return 'write ".key", "..key", "[*]", "[0]" or "[\'a key\']"'
}

/** Where a walk through a value stands in a set of paths. */
export interface Footing {
  /** Whether one of the paths ends here. */
  readonly isEnd: boolean
  /** One step down. @param key an index in an array, a key in an object */
  down(key: string | number): Footing
}

/** No path leads here or below. */
export const nowhere: Footing = { isEnd: false, down: () => nowhere }

/** @param texts as accepted by `parseJsonPath`; others are left out */
export function followPaths(texts: readonly string[]): Footing {
  const paths = texts.map(parseJsonPath).filter((path) => 'steps' in path)
  const named = new Set(paths.flatMap(({ steps }) => steps.map(({ key }) => key)))
  const known = new Map<string, Footing>()

  /** @param places per path: bit n is set where its first n steps lead here */
  function footingAt(places: readonly number[]): Footing {
    if (places.every((bits) => bits === 0)) return nowhere
    const name = places.join()
    const footing = known.get(name) ?? makeFooting(places)
    known.set(name, footing)
    return footing
  }

  function makeFooting(places: readonly number[]): Footing {
    // All keys that no path names lead to the same place: a body of 100 000 keys asks once.
    const next = new Map<string | number | undefined, Footing>()
    return {
      isEnd: paths.some(({ steps }, i) => ((places[i] ?? 0) & (1 << steps.length)) !== 0),
      down(key) {
        const step = named.has(key) ? key : undefined
        const footing =
          next.get(step) ?? footingAt(paths.map(({ steps }, i) => placesBelow(steps, places[i] ?? 0, step)))
        next.set(step, footing)
        return footing
      },
    }
  }

  return footingAt(paths.map(() => 1))
}

function placesBelow(steps: readonly Step[], bits: number, key: string | number | undefined): number {
  let next = 0
  for (const [n, step] of steps.entries()) {
    if ((bits & (1 << n)) === 0) continue
    if (step.key === undefined || step.key === key) next |= 1 << (n + 1)
    if (step.isDeep) next |= 1 << n
  }
  return next
}
