// Which target is chosen: tables and properties, with randomness as an input.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Candidate, choose, type Wish } from '../../gateway/balancing/choice.ts'
import { warmthOf } from '../../gateway/balancing/slowStart.ts'
import { drawsOf } from '../comparing/sites.ts'

function candidate(origin: string, more: Partial<Candidate> = {}): Candidate {
  return { origin, id: `id of ${origin}`, isUp: true, warmth: 1, active: 0, ...more }
}

/** How often each is chosen in so many choices, of which none is still under way at the next. */
function tally(candidates: readonly Candidate[], wish: Wish = {}, choices = 10_000): Record<string, number> {
  const random = drawsOf(1)
  const counts = Object.fromEntries(candidates.map(({ origin }) => [origin, 0]))
  for (let i = 0; i < choices; i += 1) {
    const origin = choose(candidates, wish, random)?.origin ?? 'none'
    counts[origin] = (counts[origin] ?? 0) + 1
  }
  return counts
}

const [a, b, c] = [candidate('a'), candidate('b'), candidate('c')]

describe('of those that nothing binds', () => {
  test('equals are chosen alike', () => {
    for (const count of Object.values(tally([a, b, c]))) expect(Math.abs(count - 3_333)).toBeLessThan(200)
  })

  test('the less busy of two goes first, and the busiest of all never does', () => {
    const counts = tally([a, candidate('b', { active: 1 }), candidate('c', { active: 2 })])
    expect(counts.c).toBe(0)
    // Of three pairs, two have `a` in them.
    expect(Math.abs((counts.a ?? 0) - 6_667)).toBeLessThan(200)
  })

  test('ten thousand requests that never end are spread so that the fullest target has a handful more than the emptiest', () => {
    const random = drawsOf(7)
    const active = new Map(Array.from({ length: 10 }, (_, i) => [`t${i}`, 0]))
    for (let i = 0; i < 10_000; i += 1) {
      const chosen = choose(
        [...active].map(([origin, count]) => candidate(origin, { active: count })),
        {},
        random,
      )
      const origin = chosen?.origin ?? ''
      active.set(origin, (active.get(origin) ?? 0) + 1)
    }
    const counts = [...active.values()]
    // One choice at random would leave them some hundred apart.
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThan(10)
  })

  test('one that was tried is left to the others, unless there are none', () => {
    expect(tally([a, b, c], { tried: ['a', 'b'] }, 100)).toEqual({ a: 0, b: 0, c: 100 })
    expect(tally([a], { tried: ['a'] }, 100)).toEqual({ a: 100 })
  })

  test('one that is down is chosen only when all are', () => {
    const down = { isUp: false }
    expect(tally([candidate('a', down), b, candidate('c', down)], {}, 100)).toEqual({ a: 0, b: 100, c: 0 })
    const counts = tally([candidate('a', down), candidate('b', down)])
    expect(Math.abs((counts.a ?? 0) - 5_000)).toBeLessThan(250)
  })

  test('one that was not reached is not asked again while there is another, even one that is down', () => {
    expect(tally([a, candidate('b', { isUp: false })], { unreached: 'a' }, 100)).toEqual({ a: 0, b: 100 })
    expect(tally([a], { unreached: 'a' }, 100)).toEqual({ a: 100 })
  })
})

describe('slow start', () => {
  test.each([
    [0, 0.1],
    [1_000, 0.1],
    [5_000, 0.5],
    [9_000, 0.9],
    [10_000, 1],
    [60_000, 1],
    [Number.POSITIVE_INFINITY, 1],
  ])('of 10 s: after %d ms a target takes part in %d of the choices', (ageMs, warmth) => {
    expect(warmthOf(10_000, ageMs)).toBeCloseTo(warmth, 10)
  })

  test.each([0.1, 0.25, 0.5, 0.9, 1])('a target of warmth %d among three gets that part of a third', (warmth) => {
    const share = (tally([a, b, candidate('c', { warmth })]).c ?? 0) / 10_000
    expect(Math.abs(share - warmth / 3)).toBeLessThan(0.02)
  })

  test('however idle it is, it gets no more than its part', () => {
    const busy = { active: 50 }
    const share = (tally([candidate('a', busy), candidate('b', busy), candidate('c', { warmth: 0.1 })]).c ?? 0) / 10_000
    expect(share).toBeLessThan(0.1)
  })

  test('where all are cold they share alike', () => {
    const counts = tally(['a', 'b'].map((origin) => candidate(origin, { warmth: 0.1 })))
    expect(Math.abs((counts.a ?? 0) - 5_000)).toBeLessThan(250)
  })
})

describe('whoever is bound', () => {
  test.each<[string, Wish, Partial<Candidate>]>([
    ['is busier than the others', {}, { active: 1_000 }],
    ['is cold', {}, { warmth: 0.1 }],
    ['was tried before: its session is nowhere else', { tried: ['b'] }, {}],
  ])('goes to its target, even if that %s', (_, wish, how) => {
    const targets = [a, candidate('b', how), c]
    expect(tally(targets, { ...wish, bound: { id: 'id of b' } }, 100)).toEqual({ a: 0, b: 100, c: 0 })
  })

  test.each<[string, Wish, Partial<Candidate>]>([
    ['is down', {}, { isUp: false }],
    ['was not reached', { unreached: 'b' }, {}],
  ])('goes to any other when its target %s', (_, wish, how) => {
    const counts = tally([a, candidate('b', how), c], { ...wish, bound: { id: 'id of b' } }, 100)
    expect(counts.b).toBe(0)
    expect(counts.a).toBeGreaterThan(20)
    expect(counts.c).toBeGreaterThan(20)
  })

  test('to a target that is not there any more goes to any', () => {
    const counts = tally([a, b], { bound: { id: 'id of gone' } }, 100)
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(20)
  })

  test('by what tells it from others goes to the same one of those that are up, whatever the lot says', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer(),
        fc.subarray(['a', 'b', 'c', 'd'], { minLength: 1 }),
        (client, seed, up) => {
          const targets = ['a', 'b', 'c', 'd'].map((origin) => candidate(origin, { isUp: up.includes(origin) }))
          const wish = { bound: { client } }
          const [one, other] = [choose(targets, wish, drawsOf(seed)), choose(targets.toReversed(), wish, drawsOf(1))]
          expect(up).toContain(one?.origin)
          expect(other?.origin).toBe(one?.origin)
        },
      ),
    )
  })
})
