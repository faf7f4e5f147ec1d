// Seeded randomness (mulberry32), so that seeds, faults and tests repeat.
// The danger it guards against: two processes that believe to hold the same freight and do not.

/** @returns a function that gives the next number in [0, 1); the same seed gives the same row of numbers. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
