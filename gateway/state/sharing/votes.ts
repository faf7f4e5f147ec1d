// What replicas say to each other of their breakers: each judges by its own window and votes; a majority opens a circuit for all;
// one at a time tries, and its result holds for all.
// The dangers it guards against: a request that waits for the store, so all that is said is said behind it; and a breaker that
// needs the store: without it each goes alone.
import type { Clock } from '../../model.ts'
import type { FleetWord } from '../breaking/engine.ts'
import {
  afterClosing,
  afterOpening,
  type Fleet,
  type FleetCircuit,
  isHeld,
  isOver,
  settled,
  votesFor,
  withTrial,
} from '../breaking/fleetCircuit.ts'
import type { FleetView, Votes } from '../breaking/votes.ts'
import type { Store } from '../store/port.ts'
import { SharedCircuits } from './circuits.ts'

export interface SharedVotes extends Votes {
  open(store: Store): void
  /** Says again what was lost, and sees to it that somebody tries; called each second. */
  round(): void
}

export interface VotesParts {
  readonly id: string
  readonly clock: Clock
  /** As far as this replica knows. */
  living(): ReadonlySet<string>
  size(): number
  onFailure(thrown: unknown): void
}

/** Who spoke last lets the others try first; and who has no requests leaves it to those who do. */
const restMs = 1_000

export function createVotes(parts: VotesParts): SharedVotes {
  return new FleetVotes(parts)
}

class FleetVotes implements SharedVotes {
  readonly #parts: VotesParts
  readonly #circuits: SharedCircuits
  #openMs: ReadonlyMap<string, number> = new Map()
  /** Until when our own windows hold circuits open. */
  readonly #own = new Map<string, number>()
  /** The last turn of each circuit that we know of. */
  readonly #heard = new Map<string, FleetCircuit['turn']>()
  /** Whose turn to try we are asking for. */
  readonly #asking = new Set<string>()
  #listener: (key: string, word: FleetWord) => void = () => {}

  constructor(parts: VotesParts) {
    this.#parts = parts
    this.#circuits = new SharedCircuits((key) => this.#hear(key), parts.onFailure)
  }

  open(store: Store): void {
    this.#circuits.open(store)
  }

  onWord(listener: (key: string, word: FleetWord) => void): void {
    this.#listener = listener
  }

  follow(openMs: ReadonlyMap<string, number>): void {
    const before = this.#openMs
    this.#openMs = openMs
    for (const key of before.keys()) if (!openMs.has(key)) this.#leave(key)
    for (const key of openMs.keys()) if (!before.has(key)) this.#hear(key)
  }

  opened(key: string, forMs: number, isTrial: boolean): void {
    this.#own.set(key, this.#now() + forMs)
    this.#vote(key, isTrial)
  }

  tries(key: string): void {
    this.#takeTurn(key)
  }

  closed(key: string): void {
    this.#own.delete(key)
    this.#circuits.change(key, (circuit) => afterClosing(circuit, this.#parts.id, this.#now()))
  }

  mayTry(key: string): boolean {
    const circuit = this.#circuits.of(key)
    const nowMs = this.#now()
    if (!circuit || !isHeld(circuit, nowMs) || !this.#circuits.isShared()) return true
    const { trial } = circuit
    if (trial && trial.untilMs > nowMs) return trial.by === this.#parts.id
    this.#askForTurn(key, circuit, nowMs)
    return false
  }

  viewOf(key: string): FleetView | undefined {
    const circuit = this.#circuits.of(key)
    const fleet = this.#fleet()
    if (!circuit || isOver(circuit, fleet.nowMs)) return undefined
    return { isOpen: isHeld(circuit, fleet.nowMs), votes: votesFor(circuit, fleet), replicas: fleet.size }
  }

  round(): void {
    const nowMs = this.#now()
    for (const [key, untilMs] of this.#own) {
      if (untilMs <= nowMs) this.#own.delete(key)
      else if (this.#circuits.of(key)?.votes[this.#parts.id] !== untilMs) this.#vote(key, false)
      // Others may be gone, and the majority a smaller one.
      else this.#circuits.change(key, (circuit) => settled(circuit, this.#parts.id, this.#fleet()))
    }
    for (const [key, circuit] of this.#circuits.all()) {
      const { turn, trial } = circuit
      if (isOver(circuit, nowMs)) this.#circuits.remove(key)
      const isUntried = turn && turn.untilMs + restMs <= nowMs && !(trial && trial.untilMs > nowMs)
      if (isUntried && isHeld(circuit, nowMs)) this.#askForTurn(key, circuit, nowMs)
    }
  }

  #vote(key: string, isTrial: boolean): void {
    const { id: by } = this.#parts
    this.#circuits.change(key, (circuit) => {
      const untilMs = this.#own.get(key)
      return untilMs === undefined ? undefined : afterOpening(circuit, { by, untilMs, isTrial }, this.#fleet())
    })
  }

  /** @param circuit as we know it, with nobody who tries */
  #askForTurn(key: string, { turn }: FleetCircuit, nowMs: number): void {
    const isOwn = turn?.by === this.#parts.id && this.#fleet().size > 1
    if (!this.#openMs.has(key) || this.#asking.has(key) || (isOwn && turn.untilMs + restMs > nowMs)) return
    this.#asking.add(key)
    void this.#takeTurn(key).finally(() => this.#asking.delete(key))
  }

  /** A turn is as long as a trial may take, as one that hangs would keep all others waiting. */
  #takeTurn(key: string): Promise<void> {
    const { id: by } = this.#parts
    return this.#circuits.change(key, (circuit) => {
      const nowMs = this.#now()
      return withTrial(circuit, { by, untilMs: nowMs + (this.#openMs.get(key) ?? 0) }, nowMs)
    })
  }

  /** What we have decided ourselves our engine knows. */
  #hear(key: string): void {
    const turn = this.#circuits.of(key)?.turn
    const last = this.#heard.get(key)
    if (!turn || !this.#openMs.has(key) || (turn.by === last?.by && turn.atMs === last.atMs)) return
    this.#heard.set(key, turn)
    if (turn.by === this.#parts.id) return
    const reason = `by the fleet: ${turn.reason}`
    const forMs = turn.untilMs - this.#now()
    if (turn.to === 'closed') {
      this.#own.delete(key)
      this.#listener(key, { to: 'closed', reason })
    } else if (forMs > 0) this.#listener(key, { to: 'open', forMs, reason })
  }

  /** Nothing of ours is there any more. */
  #leave(key: string): void {
    this.#heard.delete(key)
    if (!this.#own.delete(key)) return
    const { id } = this.#parts
    this.#circuits.change(key, (circuit) => {
      const { [id]: _own, ...votes } = circuit.votes
      return { ...circuit, votes }
    })
  }

  #fleet(): Fleet {
    const { id, living, size } = this.#parts
    return { living: new Set([...living(), id]), size: size(), nowMs: this.#now() }
  }

  #now(): number {
    return this.#parts.clock.wall()
  }
}
