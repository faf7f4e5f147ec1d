// The port through which breakers hear of those of other replicas.
// The danger it guards against: a breaker that waits for somebody else's word.
import type { FleetWord } from './engine.ts'

/** What a book of breakers may say to those of other replicas, and hear of them. Nothing of it waits. */
export interface Votes {
  /** Our own window has opened that circuit, or our trial has failed. */
  opened(key: string, forMs: number, isTrial: boolean): void
  /** We have let a trial through. */
  tries(key: string): void
  /** Our trial was answered well. */
  closed(key: string): void
  /** Whether we may let one through; asks for our turn if not. */
  mayTry(key: string): boolean
  /** Undefined while nobody holds it open. */
  viewOf(key: string): FleetView | undefined
  /** What stands before our upstreams from now on. @param openMs by key: how long a trial has */
  follow(openMs: ReadonlyMap<string, number>): void
  /** Tells what the fleet has decided; once. */
  onWord(listener: (key: string, word: FleetWord) => void): void
}

export interface FleetView {
  /** Whether the fleet leaves it alone. */
  readonly isOpen: boolean
  /** Of how many replicas the own window holds it open. */
  readonly votes: number
  readonly replicas: number
}
