// When a difference is a regression, when it is noise, and when nobody can tell yet.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { boundsOf, createNoise, mergeNoise, type Noise } from '../../gateway/comparing/noise.ts'

const at = (path: string) => [{ path, kind: 'value' as const }]

/** @param counts [differ, of] for the candidate and for the old side */
function noiseOf(candidate: readonly [number, number], old: readonly [number, number]): Noise {
  const noise = createNoise()
  for (let i = 0; i < candidate[1]; i++) noise.observeCandidate(i < candidate[0] ? at('$.a') : [])
  for (let i = 0; i < old[1]; i++) noise.observeOld(i < old[0] ? at('$.a') : [])
  return noise
}

test.each([
  // A path that always differs, and never at the old side: ten of each decide.
  [10, 10, 0, 10, 'regression'],
  [9, 9, 0, 9, 'undecided'],
  // Without a second answer of the old side nobody can tell.
  [1000, 1000, 0, 0, 'undecided'],
  // A timestamp.
  [100, 100, 100, 100, 'noise'],
  [5, 5, 5, 5, 'undecided'],
  // A coin.
  [500, 1000, 500, 1000, 'noise'],
  [50, 100, 50, 100, 'undecided'],
  // Rare, but never at the old side.
  [20, 400, 0, 400, 'regression'],
  [3, 1000, 0, 1000, 'undecided'],
  // More than before on a path with noise: 20 % of all differences is Diffy's limit.
  [700, 1000, 300, 1000, 'regression'],
  [56_000, 100_000, 50_000, 100_000, 'noise'],
  // Beyond chance, but less than 0.03 % of all.
  [200, 1_000_000, 0, 1_000_000, 'noise'],
  [0, 1000, 300, 1000, 'noise'],
])('%d of %d against %d of %d is %s', (...[raw, candidate, noisy, old, verdict]) => {
  const [judged] = noiseOf([raw, candidate], [noisy, old]).judge()
  expect(judged).toMatchObject({ path: '$.a', kind: 'value', verdict, samples: { candidate, old } })
  expect(judged?.rawRate).toBe(raw / candidate)
  expect(judged?.noiseRate).toBe(old === 0 ? 0 : noisy / old)
})

test('paths and kinds are judged apart', () => {
  const noise = createNoise()
  for (let i = 0; i < 50; i++) {
    noise.observeCandidate([...at('$.at'), { path: '$.at', kind: 'type' }, ...at('$.odd ["path"]')])
    noise.observeOld([...at('$.at')])
  }
  expect(noise.judge().map(({ path, kind, verdict }) => `${path} ${kind} ${verdict}`)).toEqual([
    '$.at value noise',
    '$.at type regression',
    '$.odd ["path"] value regression',
  ])
})

test('a comparison counts once at a path, and beyond the thousandth path once in all', () => {
  const noise = createNoise()
  noise.observeCandidate(Array.from({ length: 3000 }, (_, i) => at(`$.${i % 2 ? i : 'a'}`)).flat())
  noise.observeOld(at('$.neverSeen'))
  const judged = noise.judge()
  expect(judged).toHaveLength(1001)
  expect(judged[0]).toMatchObject({ path: '$.a', rawRate: 1 })
  expect(judged.at(-1)).toMatchObject({ path: 'other', kind: 'other', rawRate: 1, noiseRate: 1 })
})

test('states of replicas add up to what one would have seen, also after a way through JSON', () => {
  const seen = fc.array(fc.tuple(fc.boolean(), fc.subarray(['$.a', '$.b', '$.__proto__', '__proto__'])), {
    maxLength: 40,
  })
  fc.assert(
    fc.property(fc.array(seen, { maxLength: 4 }), (replicas) => {
      const observe = (noise: Noise, all: typeof replicas) => {
        for (const [isOld, paths] of all.flat()) {
          const differences = paths.flatMap(at)
          if (isOld) noise.observeOld(differences)
          else noise.observeCandidate(differences)
        }
        return noise
      }
      const states = replicas.map((one) => JSON.parse(JSON.stringify(observe(createNoise(), [one]).state())))
      const merged = createNoise(mergeNoise(states))
      expect(new Set(merged.judge())).toEqual(new Set(observe(createNoise(), replicas).judge()))
    }),
  )
})

test('what is merged is bounded too', () => {
  const states = [0, 1].map((replica) => {
    const noise = createNoise()
    noise.observeCandidate(Array.from({ length: 900 }, (_, i) => at(`$.r${replica}_${i}`)).flat())
    return noise.state()
  })
  const { paths, candidate } = mergeNoise(states)
  expect(Object.keys(paths)).toHaveLength(1001)
  expect(paths['other other']).toEqual([800, 0])
  expect(candidate).toBe(2)
})

test("Wilson's bounds hold the share, and close with samples", () => {
  expect(boundsOf(0, 0)).toEqual({ share: 0, low: 0, high: 1 })
  expect(boundsOf(0, 10).high).toBeCloseTo(9 / 19)
  expect(boundsOf(10, 10).low).toBeCloseTo(10 / 19)
  fc.assert(
    fc.property(fc.nat({ max: 1000 }), fc.integer({ min: 1, max: 1000 }), (hits, more) => {
      const { share, low, high } = boundsOf(hits, hits + more)
      expect(low).toBeLessThanOrEqual(share)
      expect(high).toBeGreaterThanOrEqual(share)
      const closer = boundsOf(hits * 10, (hits + more) * 10)
      expect(closer.high - closer.low).toBeLessThan(high - low)
    }),
  )
})
