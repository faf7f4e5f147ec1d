// Which of an Upstream's targets a request goes to: the one that it is bound to, else the one of two, picked at random, at which
// less is under way. Two are enough (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing"), and gateways that
// do not know of each other do not all run to the same one, as they would to the least of all.
// The danger it guards against: a client whose session is kept by one target, and who is sent to another that would do as well.
import { ownerOf } from './rendezvous.ts'

export interface Candidate {
  readonly origin: string
  /** What a client's cookie calls it by. */
  readonly id: string
  readonly isUp: boolean
  /** The share of choices that it takes part in, above 0 up to 1. */
  readonly warmth: number
  /** Requests under way at it. */
  readonly active: number
}

/** What is asked for. */
export interface Wish {
  /** Whom the client is bound to: the id that its cookie says, or what tells it from others. Absent: to nobody. */
  readonly bound?: { readonly id: string } | { readonly client: string }
  /** Origins at which another attempt may fare better, where nothing binds it. */
  readonly tried?: readonly string[]
  /** The origin that was just found not to be reached: not even a bound client goes there again. */
  readonly unreached?: string
}

/** @param candidates at least one. @param random in [0, 1) */
export function choose<C extends Candidate>(candidates: readonly C[], wish: Wish, random: () => number): C | undefined {
  const reachable = ofThese(candidates, ({ origin }) => origin !== wish.unreached)
  // When none is up, whoever says so is more likely wrong than all of them are down, and nothing is lost by asking: as Envoy's
  // panic does, all are taken for up.
  const up = ofThese(reachable, ({ isUp }) => isUp)
  return boundTo(up, wish) ?? leastOfTwo(unbound(up, wish, random), random)
}

function boundTo<C extends Candidate>(candidates: readonly C[], { bound }: Wish): C | undefined {
  if (!bound) return undefined
  if ('client' in bound) return ownerOf(bound.client, candidates)
  return candidates.find(({ id }) => id === bound.id)
}

function unbound<C extends Candidate>(candidates: readonly C[], { tried = [] }: Wish, random: () => number) {
  const fresh = tried.length > 0 ? ofThese(candidates, ({ origin }) => !tried.includes(origin)) : candidates
  // By lot and not by weight: however little is under way anywhere, it gets no more than its part.
  return ofThese(fresh, ({ warmth }) => warmth >= 1 || random() < warmth)
}

/** Two different ones; of equals the first, which is as random. */
function leastOfTwo<C extends Candidate>(candidates: readonly C[], random: () => number): C | undefined {
  const { length } = candidates
  const first = Math.floor(random() * length)
  if (length < 2) return candidates[first]
  const second = (first + 1 + Math.floor(random() * (length - 1))) % length
  const [one, other] = [candidates[first], candidates[second]]
  return one && other && other.active < one.active ? other : one
}

/** Those that fit, or all when none does. */
function ofThese<C>(candidates: readonly C[], fits: (candidate: C) => boolean): readonly C[] {
  const fitting = candidates.filter(fits)
  return fitting.length > 0 ? fitting : candidates
}
