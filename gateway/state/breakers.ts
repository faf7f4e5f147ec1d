// The circuit breakers, each under what it stands before: targets and settings. They outlive every reading of the file.
// The danger it guards against: a reload that closes an open circuit, and a dead service that is asked by everybody again.
import type {
  Breaker,
  BreakerSettings,
  Breakers,
  BrokenTarget,
  CircuitState,
  Clock,
  Snapshot,
  Upstream,
} from '../model.ts'
import type { Engine, EngineParts, Turn } from './breaking/engine.ts'
import { opossumEngines } from './breaking/opossum.ts'
import { createOwnEngine } from './breaking/own.ts'
import type { FleetView, Votes } from './breaking/votes.ts'

/** A turn of the breaker before that Upstream. */
export interface BreakerTurn extends Turn {
  /** Its name. */
  readonly upstream: string
}

export interface BreakerView {
  readonly upstream: string
  readonly state: CircuitState
  /** Since when; milliseconds since the epoch. */
  readonly sinceMs: number
  /** Why it came to be so; absent before the first turn. */
  readonly reason?: string
  /** While open: until a trial may go; 0 when the next request is one. */
  readonly retryInMs?: number
  /** How often it has come to each state since the Upstream got its breaker. */
  readonly turns: Readonly<Record<CircuitState, number>>
  /** How often other replicas have brought it there; a part of the turns. */
  readonly fleetTurns: Readonly<Record<CircuitState, number>>
  /** How it stands with all replicas; absent while none holds it open. */
  readonly fleet?: FleetView
}

export interface BreakerBook extends Breakers {
  /** Knows from now on what stands before which Upstream, and lets go of the others. */
  follow(snapshot: Pick<Snapshot, 'upstreams'>): void
  /** Of the Upstreams that have one. */
  views(): readonly BreakerView[]
}

export interface BookParts {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly votes: Votes
  turned(turn: BreakerTurn): void
}

interface Kept {
  readonly key: string
  readonly openMs: number
  readonly engine: Engine
  sinceMs: number
  reason?: string
}

export function createBreakers(parts: BookParts): BreakerBook {
  return new Book(parts)
}

class Book implements BreakerBook {
  readonly #parts: BookParts
  readonly #engines = { own: createOwnEngine, opossum: opossumEngines() }
  readonly #kept = new Map<string, Kept>()
  /** Upstreams to what they are kept under. */
  #keys: ReadonlyMap<string, string> = new Map()
  /** By Upstream. */
  readonly #turns = new Map<string, Counted>()

  constructor(parts: BookParts) {
    this.#parts = parts
    parts.votes.onWord((key, word) => this.#kept.get(key)?.engine.obey(word))
  }

  of(targets: readonly BrokenTarget[], settings: BreakerSettings): Breaker {
    const key = keyOf(targets, settings)
    const kept = this.#kept.get(key) ?? this.#make(key, settings)
    return kept.engine
  }

  follow({ upstreams }: Pick<Snapshot, 'upstreams'>): void {
    this.#keys = new Map(Array.from(upstreams.values(), keyOfUpstream).filter((pair) => pair !== undefined))
    const wanted = new Set(this.#keys.values())
    for (const [key, { engine }] of this.#kept) {
      if (wanted.has(key)) continue
      this.#kept.delete(key)
      engine.retire()
    }
    for (const name of this.#turns.keys()) if (!this.#keys.has(name)) this.#turns.delete(name)
    this.#parts.votes.follow(new Map(Array.from(this.#kept, ([key, { openMs }]) => [key, openMs] as const)))
  }

  views(): readonly BreakerView[] {
    return [...this.#keys].flatMap(([upstream, key]) => {
      const kept = this.#kept.get(key)
      return kept ? [this.#viewOf(upstream, kept)] : []
    })
  }

  #viewOf(upstream: string, { key, engine, sinceMs, reason }: Kept): BreakerView {
    const state = engine.state()
    const fleet = this.#parts.votes.viewOf(key)
    return {
      upstream,
      state,
      sinceMs,
      ...(reason !== undefined && { reason }),
      ...(state === 'open' && { retryInMs: Math.ceil(engine.retryInMs()) }),
      turns: this.#turns.get(upstream)?.all ?? noTurns,
      fleetTurns: this.#turns.get(upstream)?.fleets ?? noTurns,
      ...(fleet && { fleet }),
    }
  }

  #make(key: string, settings: BreakerSettings): Kept {
    const { clock, random, votes } = this.#parts
    const turned: EngineParts['turned'] = (turn) => this.#turned(key, turn)
    const mayTry = () => votes.mayTry(key)
    const engine = this.#engines[settings.engine]({ settings, now: clock.now, random, mayTry, turned })
    const kept = { key, openMs: settings.openMs, engine, sinceMs: clock.wall() }
    this.#kept.set(key, kept)
    return kept
  }

  #turned(key: string, turn: Turn): void {
    const kept = this.#kept.get(key)
    if (!kept) return
    kept.sinceMs = this.#parts.clock.wall()
    kept.reason = turn.reason
    this.#say(key, turn)
    for (const [upstream, under] of this.#keys) {
      if (under !== key) continue
      const turns = this.#turns.get(upstream) ?? { all: { ...noTurns }, fleets: { ...noTurns } }
      turns.all[turn.to] += 1
      if (turn.isFleets) turns.fleets[turn.to] += 1
      this.#turns.set(upstream, turns)
      this.#parts.turned({ upstream, ...turn })
    }
  }

  /** To the other replicas, unless they have said it. */
  #say(key: string, { from, to, forMs = 0, isFleets }: Turn): void {
    const { votes } = this.#parts
    if (isFleets) return
    if (to === 'open') votes.opened(key, forMs, from === 'halfOpen')
    else if (to === 'halfOpen') votes.tries(key)
    else votes.closed(key)
  }
}

interface Counted {
  readonly all: Record<CircuitState, number>
  /** Those of them that the fleet has decided. */
  readonly fleets: Record<CircuitState, number>
}

const noTurns: Readonly<Record<CircuitState, number>> = { closed: 0, open: 0, halfOpen: 0 }

/** What two upstreams have in common, they share; other settings are another breaker. */
function keyOf(targets: readonly BrokenTarget[], settings: BreakerSettings): string {
  const places = targets.map(({ origin, verify }) => `${origin}${verify ? '' : ' unverified'}`).sort()
  return `${places.join(' ')} ${JSON.stringify(settings)}`
}

function keyOfUpstream({ name, targets, breaker }: Upstream): readonly [name: string, key: string] | undefined {
  return breaker && [name, keyOf(targets, breaker)]
}
