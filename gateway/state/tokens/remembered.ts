// Tokens whose signature has been checked, by their hash: the second request with one costs no check.
// The danger it guards against: a token that is good for longer than its key, its issuer or itself.
import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { AuthCheck } from '../../model.ts'

export interface Known {
  readonly check: AuthCheck
  /** Milliseconds since the epoch. */
  readonly untilMs: number
  /** Whether its key and its issuer are still trusted. */
  isTrusted(): boolean
}

export interface Remembered {
  get(digest: string, nowMs: number): AuthCheck | undefined
  /** @param length of the token, in characters: what is kept of it takes a few times as much */
  put(digest: string, known: Known, length: number): void
  readonly size: number
}

/** Of all of them together; what was used least lately goes first. */
const mostBytes = 32 * 1024 * 1024

export function createRemembered(): Remembered {
  const all = new LRUCache<string, Known>({ maxSize: mostBytes })
  return {
    get(digest, nowMs) {
      const known = all.get(digest)
      if (!known) return undefined
      if (nowMs < known.untilMs && known.isTrusted()) return known.check
      all.delete(digest)
      return undefined
    },
    put(digest, known, length) {
      all.set(digest, known, { size: 4 * length + 1_000 })
    },
    get size() {
      return all.size
    },
  }
}

/** Nothing that could be used, wherever it is kept. */
export function digestOf(credential: string): string {
  return hash('sha256', credential, 'base64url')
}
