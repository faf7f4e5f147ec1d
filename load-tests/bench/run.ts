// All measurements: scenario by scenario, round by round, every proxy once in each round.
// The danger it guards against: a machine that slows down while the last proxies are measured. So the rounds are interleaved
// and each starts with another proxy, and proxies are compared within a round only.
import type { Contestant } from './contestants.ts'
import { type Bench, type Figures, measure } from './measure.ts'
import type { Scenario } from './scenarios.ts'

interface Place {
  readonly proxy: string
  readonly scenario: string
  /** 1, 2, 3 … */
  readonly round: number
}

export type Measured = Place & Figures
/** Null where there is no figure: a proxy that fails is not a fast one. */
export type Failed = Place & { readonly [K in Always]: null } & { readonly failure: string }
type Always = 'requestsPerSecond' | 'p50Ms' | 'p99Ms' | 'cpuMicrosPerRequest' | 'rssBytes'
export type Row = Measured | Failed

export interface RunPlan {
  readonly bench: Bench
  readonly contestants: readonly Contestant[]
  readonly scenarios: readonly Scenario[]
  readonly rounds: number
  readonly seconds: number
}

/** Yields one row after each measurement. */
export async function* measureAll({ bench, contestants, scenarios, rounds, seconds }: RunPlan): AsyncGenerator<Row> {
  for (const scenario of scenarios) {
    for (let round = 1; round <= rounds; round += 1) {
      const invited = contestants.filter(({ isClosed }) => !isClosed || scenario.ask.isKnown)
      for (const contestant of rotated(invited, round, rounds)) {
        const place = { proxy: contestant.name, scenario: scenario.name, round }
        yield await measure(bench, contestant, scenario, seconds).then(
          (figures) => ({ ...place, ...figures }),
          (error: unknown) => failed(place, error instanceof Error ? error.message : String(error)),
        )
      }
    }
  }
}

/** The same circle in each round, entered at places that lie evenly apart. */
function rotated<T>(all: readonly T[], round: number, rounds: number): readonly T[] {
  const first = Math.floor(((round - 1) * all.length) / rounds)
  return [...all.slice(first), ...all.slice(0, first)]
}

function failed(place: Place, failure: string): Failed {
  return {
    ...place,
    requestsPerSecond: null,
    p50Ms: null,
    p99Ms: null,
    cpuMicrosPerRequest: null,
    rssBytes: null,
    failure,
  }
}
