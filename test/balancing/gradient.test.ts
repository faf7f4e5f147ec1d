// The limit, held before an upstream that is simulated: so many places, a time that an answer takes, and a queue before the places.
// Its clock goes by the events: nothing waits.
import { describe, expect, test } from 'vitest'
import { Gradient } from '../../gateway/balancing/gradient.ts'

interface Behaviour {
  /** How many requests it works on at a time. */
  places: number
  tookMs: number
}

/** Requests come at a steady rate; those beyond the limit are turned away. */
class Simulation {
  readonly gradient: Gradient
  readonly upstream: Behaviour = { places: 20, tookMs: 50 }
  nowMs = 0
  turnedAway = 0
  /** How long the answers since the last `run` took. */
  took: number[] = []
  /** The lowest and highest limit since then. */
  lowest = 0
  highest = 0
  #nextAt = 0
  /** When each that ever came ended, or will. */
  readonly #ends: number[] = []
  readonly #active: { startedAt: number; endsAt: number; active: number }[] = []

  constructor(bounds = { least: 3, most: 1_000 }) {
    this.gradient = new Gradient({ now: () => this.nowMs, random: () => 0.5, bounds: () => bounds, initial: 20 })
  }

  run(forMs: number, perSecond: number): void {
    const untilMs = this.nowMs + forMs
    Object.assign(this, { turnedAway: 0, took: [], lowest: this.gradient.most, highest: this.gradient.most })
    this.#nextAt = this.nowMs
    while (this.nowMs < untilMs) {
      const endsAt = this.#active[0]?.endsAt ?? Number.POSITIVE_INFINITY
      this.nowMs = Math.min(endsAt, this.#nextAt, untilMs)
      if (this.nowMs === endsAt) this.#end()
      else if (this.nowMs === this.#nextAt) this.#come(perSecond)
      this.lowest = Math.min(this.lowest, this.gradient.most)
      this.highest = Math.max(this.highest, this.gradient.most)
    }
  }

  #come(perSecond: number): void {
    this.#nextAt = this.nowMs + 1_000 / perSecond
    if (this.#active.length >= this.gradient.most) {
      this.turnedAway += 1
      return
    }
    // First come, first served: it begins when the one that is so many places before it has ended.
    const freeAt = this.#ends.at(-this.upstream.places) ?? 0
    const endsAt = Math.max(this.nowMs, freeAt) + this.upstream.tookMs
    this.#ends.push(endsAt)
    if (this.#ends.length > 20_000) this.#ends.splice(0, 10_000)
    this.#active.push({ startedAt: this.nowMs, endsAt, active: this.#active.length + 1 })
  }

  #end(): void {
    const ended = this.#active.shift()
    if (!ended) return
    const tookMs = this.nowMs - ended.startedAt
    this.took.push(tookMs)
    this.gradient.add({ tookMs, startedAt: ended.startedAt, active: ended.active })
  }
}

const slowestTenth = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * 0.9)]
/** More than twice what twenty places can answer. */
const tooMuch = 1_000

describe('an upstream that slows down beyond twenty requests', () => {
  test('is held near twenty, for half an hour of overload', () => {
    const simulation = new Simulation()
    simulation.run(30_000, tooMuch)
    for (let minute = 0; minute < 30; minute++) {
      simulation.run(60_000, tooMuch)
      expect(simulation.highest).toBeLessThanOrEqual(30)
      // Half of it while the calm latency is measured; no lower.
      expect(simulation.lowest).toBeGreaterThanOrEqual(10)
      expect(slowestTenth(simulation.took)).toBeLessThanOrEqual(90)
      // 400 a second are what it can answer; measuring costs a little.
      expect(simulation.took.length).toBeGreaterThan(60 * 400 * 0.97)
    }
    expect(simulation.gradient.calmMs).toBe(50)
  })

  test('is given less when it takes less, and again as much as it takes then', () => {
    const simulation = new Simulation()
    simulation.run(30_000, tooMuch)
    simulation.upstream.places = 5
    simulation.run(10_000, tooMuch)
    simulation.run(20_000, tooMuch)
    expect(simulation.highest).toBeLessThanOrEqual(10)
    simulation.upstream.places = 20
    simulation.run(20_000, tooMuch)
    simulation.run(20_000, tooMuch)
    expect(simulation.lowest).toBeGreaterThanOrEqual(20)
    expect(simulation.highest).toBeLessThanOrEqual(30)
  })

  test('nobody is turned away while it is not busy', () => {
    const simulation = new Simulation()
    simulation.run(1_000, 150)
    simulation.run(600_000, 150)
    expect(simulation.turnedAway).toBe(0)
  })
})

test('an upstream that takes everything is given everything, up to what there may be', () => {
  const simulation = new Simulation({ least: 3, most: 200 })
  simulation.upstream.places = 10_000
  simulation.run(60_000, 10_000)
  expect(simulation.gradient.most).toBe(200)
  simulation.run(55_000, 2_000)
  expect(simulation.turnedAway).toBe(0)
})

test('an upstream whose every answer takes longer than it used to is not held down for long', () => {
  const simulation = new Simulation()
  simulation.run(5_000, tooMuch)
  simulation.upstream.tookMs = 150
  simulation.run(30_000, tooMuch)
  expect(simulation.lowest).toBeLessThanOrEqual(5)
  simulation.run(20_000, tooMuch)
  expect(simulation.gradient.calmMs).toBe(150)
  expect(simulation.gradient.most).toBeGreaterThanOrEqual(20)
  expect(simulation.gradient.most).toBeLessThanOrEqual(30)
})

test('an upstream whose every answer takes less time than it used to is given a queue for a minute at most', () => {
  const simulation = new Simulation()
  simulation.upstream.tookMs = 150
  simulation.run(30_000, tooMuch)
  simulation.upstream.tookMs = 50
  simulation.run(45_000, tooMuch)
  expect(simulation.highest).toBeGreaterThan(40)
  simulation.run(30_000, tooMuch)
  expect(simulation.gradient.calmMs).toBe(50)
  expect(simulation.gradient.most).toBeLessThanOrEqual(30)
})

test('silence, and a trickle after a load, leave the limit where it is', () => {
  const simulation = new Simulation()
  simulation.run(30_000, tooMuch)
  const before = simulation.gradient.most
  simulation.nowMs += 3_600_000
  expect(simulation.gradient.most).toBe(before)
  simulation.run(600_000, 5)
  expect(Math.abs(simulation.gradient.most - before)).toBeLessThanOrEqual(1)
  simulation.run(10_000, tooMuch)
  expect(simulation.gradient.most).toBeGreaterThanOrEqual(before - 5)
})

test('an upstream that takes far less than where it begins is soon known to', () => {
  const simulation = new Simulation()
  simulation.upstream.places = 4
  simulation.run(15_000, tooMuch)
  simulation.run(45_000, tooMuch)
  expect(simulation.gradient.calmMs).toBe(50)
  expect(simulation.highest).toBeLessThanOrEqual(8)
})

test('one window of slow answers takes no more than half of it', () => {
  const simulation = new Simulation()
  simulation.run(30_000, tooMuch)
  const before = simulation.gradient.most
  const { nowMs } = simulation
  simulation.nowMs += 1_000
  for (let i = 0; i < 50; i++) simulation.gradient.add({ tookMs: 30_000, startedAt: nowMs, active: before })
  expect(simulation.gradient.most).toBeGreaterThanOrEqual(Math.floor(before / 2) - 1)
})

test('a bound that falls with the fleet holds at once', () => {
  const bounds = { least: 3, most: 100 }
  const simulation = new Simulation(bounds)
  simulation.run(30_000, tooMuch)
  bounds.most = 2
  bounds.least = 2
  expect(simulation.gradient.most).toBe(2)
})

test('an upstream that takes less than its share of the fleet is given less than that share', () => {
  const simulation = new Simulation({ least: 3, most: 8 })
  simulation.upstream.places = 4
  simulation.run(30_000, tooMuch)
  simulation.run(20_000, tooMuch)
  expect(simulation.highest).toBeLessThanOrEqual(7)
})
