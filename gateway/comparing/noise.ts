// Which differences mean something: how often the candidate differs from the old side at a path, against how often the old side
// differs from itself there (timestamps, ids, lists in any order). By path and kind: a timestamp always has another value, but never
// another type.
// The danger it guards against: few samples taken for proof, either way, and a body that makes new paths without end.
import type { Difference, DifferenceKind } from './comparison.ts'

export interface PathVerdict {
  /** `other`: all paths beyond the thousandth. */
  readonly path: string
  readonly kind: DifferenceKind | 'other'
  /** Share of comparisons of candidate and old in which they differ there. */
  readonly rawRate: number
  /** Share of comparisons of old with itself in which they differ there. */
  readonly noiseRate: number
  readonly verdict: 'regression' | 'noise' | 'undecided'
  readonly samples: { readonly candidate: number; readonly old: number }
}

/** Plain JSON. Of several replicas' states the sum is what one would have that saw all (`mergeNoise`). */
export interface NoiseState {
  /** Comparisons of candidate and old. */
  readonly candidate: number
  /** Comparisons of old with itself. */
  readonly old: number
  /** `kind path` to the numbers of those in which they differ there. */
  readonly paths: Readonly<Record<string, readonly [candidate: number, old: number]>>
}

type Seen = readonly Pick<Difference, 'path' | 'kind'>[]

export interface Noise {
  /** One comparison of candidate and old has ended. */
  observeCandidate(differences: Seen): void
  /** One comparison of the old side's answer with its second answer to the same request has ended. */
  observeOld(differences: Seen): void
  /** All paths known to differ, in the order in which they first did. */
  judge(): readonly PathVerdict[]
  state(): NoiseState
}

const mostPaths = 1000
const other = 'other other'
const noNoise: NoiseState = { candidate: 0, old: 0, paths: {} }

/** @param from what was counted before */
export function createNoise(from: NoiseState = noNoise): Noise {
  const totals = { candidate: from.candidate, old: from.old }
  const counts = new Map(Object.entries(from.paths).map(([key, [candidate, old]]) => [key, { candidate, old }]))
  const observe = (side: 'candidate' | 'old', differences: Seen) => {
    totals[side]++
    // Once per comparison, however many paths are beyond the bound.
    const counted = new Set<string>()
    for (const { kind, path } of differences) {
      const key = keyFor(counts, `${kind} ${path}`)
      if (!counted.has(key)) add(counts, key, side === 'candidate' ? [1, 0] : [0, 1])
      counted.add(key)
    }
  }
  return {
    observeCandidate: (differences) => observe('candidate', differences),
    observeOld: (differences) => observe('old', differences),
    judge: () => [...counts].map(([key, { candidate, old }]) => judgePath(key, [candidate, old], totals)),
    state: () => ({
      ...totals,
      paths: Object.fromEntries([...counts].map(([key, { candidate, old }]) => [key, [candidate, old] as const])),
    }),
  }
}

/** @param states the latest of each replica */
export function mergeNoise(states: readonly NoiseState[]): NoiseState {
  const counts: Counts = new Map()
  for (const { paths } of states)
    for (const [key, count] of Object.entries(paths)) add(counts, keyFor(counts, key), count)
  const sum = (side: 'candidate' | 'old') => states.reduce((total, state) => total + state[side], 0)
  const paths = Object.fromEntries([...counts].map(([key, { candidate, old }]) => [key, [candidate, old] as const]))
  return { candidate: sum('candidate'), old: sum('old'), paths }
}

type Counts = Map<string, { candidate: number; old: number }>

const keyFor = (counts: Counts, key: string) => (counts.has(key) || counts.size < mostPaths ? key : other)

function add(counts: Counts, key: string, [candidate, old]: readonly [number, number]): void {
  const known = counts.get(key)
  counts.set(key, { candidate: (known?.candidate ?? 0) + candidate, old: (known?.old ?? 0) + old })
}

function judgePath(
  key: string,
  [candidate, old]: readonly [number, number],
  totals: PathVerdict['samples'],
): PathVerdict {
  const space = key.indexOf(' ')
  const raw = boundsOf(candidate, totals.candidate)
  const noise = boundsOf(old, totals.old)
  return {
    path: key.slice(space + 1),
    kind: key.slice(0, space) as PathVerdict['kind'],
    rawRate: raw.share,
    noiseRate: noise.share,
    verdict: verdictOf(raw, noise),
    samples: { ...totals },
  }
}

/** Regression: more than noise as Diffy has it, and beyond what chance gives. Noise: not more than it even at chance's worst. */
function verdictOf(raw: Bounds, noise: Bounds): PathVerdict['verdict'] {
  if (isMore(raw.share, noise.share) && raw.low > noise.high) return 'regression'
  return isMore(raw.high, noise.low) ? 'undecided' : 'noise'
}

/** Diffy's thresholds: more than 20 % of all differences, and more than 0.03 % of all answers. */
function isMore(raw: number, noise: number): boolean {
  return raw - noise > 0.2 * (raw + noise) && raw - noise > 0.0003
}

interface Bounds {
  readonly share: number
  readonly low: number
  readonly high: number
}

/** Three standard deviations: two shares whose bounds do not meet differ by chance once in some ten thousand. */
const z = 3

/** A share of a sample with Wilson's bounds for the share of all: 0 of 10 may still be 47 %, and nothing of nothing anything. */
export function boundsOf(hits: number, total: number): Bounds {
  if (total === 0) return { share: 0, low: 0, high: 1 }
  const share = hits / total
  const scale = 1 + z ** 2 / total
  const middle = (share + z ** 2 / (2 * total)) / scale
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2))
  // Rounding may put a bound on the wrong side of 0 or 1.
  return { share, low: Math.min(share, Math.max(0, middle - half)), high: Math.max(share, Math.min(1, middle + half)) }
}
