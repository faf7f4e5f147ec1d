// Randomness as an input: the same seed makes the same run, so that a run that found something can be made again.
// The danger it guards against: a failure that nobody can repeat.

/** Uniform in [0, 1). */
export type Random = () => number

/** sfc32 (Chris Doty-Humphrey's small fast counter), warmed up; passes PractRand, which is more than a load test needs. */
export function randomFrom(seed: number): Random {
  let a = 0x9e3779b9 | 0
  let b = 0x243f6a88 | 0
  let c = seed | 0
  let counter = 1
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
  for (let round = 0; round < 12; round += 1) next()
  return next
}
