// What a circuit breaker must do, as one table, held against our own engine and against opossum. The rows that opossum does not
// pass are held too: they are why it is not the default (decisions/0007).
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { BreakerSettings, CallResult, Permit } from '../../gateway/model.ts'
import type { CreateEngine, Engine, Turn } from '../../gateway/state/breaking/engine.ts'
import { opossumEngines } from '../../gateway/state/breaking/opossum.ts'
import { createOwnEngine } from '../../gateway/state/breaking/own.ts'

const usual: BreakerSettings = {
  errorShareBasisPoints: 5_000,
  minRequests: 20,
  windowMs: 10_000,
  openMs: 10_000,
  engine: 'own',
}

// opossum takes its time from the process: both engines are run by the same frozen clock.
beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }))
afterEach(() => vi.useRealTimers())

interface World {
  readonly engine: Engine
  readonly turns: readonly Turn[]
  advance(ms: number): Promise<void>
  permit(): Permit
  /** That many calls, one after another. */
  call(result: CallResult, count?: number, tookMs?: number): Promise<void>
  /** Fails until it is open. */
  open(): Promise<void>
  /** Waits until a trial may go. */
  wait(): Promise<void>
}

/** @param chances what chance says, the first one first; then always the middle */
function worldOf(create: CreateEngine, { settings, chances = [] }: Pick<Row, 'settings' | 'chances'>): World {
  const turns: Turn[] = []
  const left = [...chances]
  const random = () => left.shift() ?? 0.5
  const turned = (turn: Turn) => void turns.push(turn)
  const engine = create({ settings: { ...usual, ...settings }, now: () => Date.now(), random, turned })
  const world: World = {
    engine,
    turns,
    advance: async (ms) => void (await vi.advanceTimersByTimeAsync(ms)),
    permit() {
      const permit = engine.acquire()
      if (!permit) throw new Error('no permit')
      return permit
    },
    async call(result, count = 1, tookMs = 5) {
      for (let i = 0; i < count; i++) world.permit().report(result, tookMs)
      await world.advance(0)
    },
    async open() {
      for (let i = 0; engine.isClosed(); i++) {
        if (i > 100) throw new Error('it does not open')
        await world.call('failed')
      }
    },
    async wait() {
      await world.advance(engine.retryInMs())
    },
  }
  return world
}

interface Row {
  readonly says: string
  readonly opossum: boolean
  readonly settings?: Partial<BreakerSettings>
  readonly chances?: readonly number[]
  holds(world: World): Promise<void>
}

const slow = { afterMs: 1_000, shareBasisPoints: 5_000 }

const table: readonly Row[] = [
  {
    says: 'stays closed below the minimum of requests, however they fail',
    opossum: true,
    async holds({ engine, call }) {
      await call('failed', 19)
      expect(engine.isClosed()).toBe(true)
    },
  },
  {
    says: 'opens at the share of failures, and lets nobody through',
    opossum: true,
    async holds({ engine, call, turns }) {
      await call('fine', 20)
      await call('failed', 19)
      expect(engine.isClosed()).toBe(true)
      await call('failed')
      expect([engine.state(), engine.acquire()]).toEqual(['open', undefined])
      expect(turns).toMatchObject([{ from: 'closed', to: 'open' }])
    },
  },
  {
    says: 'forgets what is older than its window',
    opossum: true,
    async holds({ engine, call, advance }) {
      await call('failed', 15)
      await advance(11_000)
      await call('fine', 11)
      await call('failed', 10)
      expect(engine.isClosed()).toBe(true)
    },
  },
  {
    says: 'judges by calls that have ended: those in flight do not dilute the share',
    opossum: false,
    async holds({ engine, permit, call }) {
      for (let i = 0; i < 200; i++) permit()
      await call('failed', 19)
      expect(engine.isClosed()).toBe(true)
      await call('failed')
      expect(engine.isClosed()).toBe(false)
    },
  },
  {
    says: 'counts neither clients that left nor faults of the gateway',
    opossum: false,
    async holds({ engine, call }) {
      await call('nothing', 500)
      await call('failed', 19)
      expect(engine.isClosed()).toBe(true)
      await call('nothing', 500)
      expect(engine.isClosed()).toBe(true)
      await call('failed')
      expect(engine.isClosed()).toBe(false)
    },
  },
  {
    says: 'opens over slow answers',
    opossum: true,
    settings: { slow },
    async holds({ engine, call }) {
      await call('fine', 10, 1_000)
      await call('fine', 9, 1_001)
      expect(engine.isClosed()).toBe(true)
      await call('fine', 1, 1_001)
      expect(engine.isClosed()).toBe(false)
    },
  },
  {
    says: 'does not add slow answers to failures: each has its own share',
    opossum: false,
    settings: { slow },
    async holds({ engine, call }) {
      await call('fine', 40)
      await call('fine', 30, 2_000)
      await call('failed', 30)
      expect(engine.isClosed()).toBe(true)
    },
  },
  {
    says: 'takes a wait that a client gave up for as slow as it was',
    opossum: true,
    settings: { slow },
    async holds({ engine, call }) {
      await call('nothing', 20, 2_000)
      expect(engine.isClosed()).toBe(false)
    },
  },
  {
    says: 'counts an answer that broke in its body as one failure, and no success',
    opossum: false,
    settings: { errorShareBasisPoints: 10_000 },
    async holds({ engine, permit, advance }) {
      const permits = Array.from({ length: 20 }, permit)
      for (const permit of permits) permit.report('fine', 5)
      await advance(0)
      for (const permit of permits) permit.broke()
      await advance(0)
      expect(engine.isClosed()).toBe(false)
    },
  },
  {
    says: 'lets one trial through once it has been open for its time, and closes when that is answered',
    opossum: true,
    async holds({ engine, open, advance, permit, turns }) {
      await open()
      await advance(9_999)
      expect(engine.acquire()).toBe(undefined)
      await advance(1)
      const trial = permit()
      expect([engine.acquire(), engine.state()]).toEqual([undefined, 'halfOpen'])
      trial.report('fine', 5)
      await advance(0)
      expect(engine.state()).toBe('closed')
      expect(turns.map(({ to }) => to)).toEqual(['open', 'halfOpen', 'closed'])
    },
  },
  {
    says: 'opens again when the trial fails',
    opossum: true,
    async holds({ engine, open, wait, call }) {
      await open()
      await wait()
      await call('failed')
      expect([engine.state(), engine.acquire()]).toEqual(['open', undefined])
    },
  },
  {
    says: 'opens again when the trial is answered slowly',
    opossum: true,
    settings: { slow },
    async holds({ engine, open, wait, call }) {
      await open()
      await wait()
      await call('fine', 1, 2_000)
      expect(engine.state()).toBe('open')
    },
  },
  {
    says: 'gives a trial that hangs no longer than `open`: then another one goes',
    opossum: false,
    async holds({ engine, open, wait, advance, permit }) {
      await open()
      await wait()
      permit()
      await advance(9_999)
      expect(engine.acquire()).toBe(undefined)
      await advance(1)
      const second = permit()
      expect(engine.acquire()).toBe(undefined)
      second.report('fine', 5)
      await advance(0)
      expect(engine.isClosed()).toBe(true)
    },
  },
  {
    says: 'closes on a trial that was given up and is answered after all: an upstream slower than `open` is no dead one',
    opossum: true,
    async holds({ engine, open, wait, advance, permit }) {
      await open()
      await wait()
      const first = permit()
      await advance(15_000)
      engine.acquire()
      first.report('fine', 15_000)
      await advance(0)
      expect(engine.isClosed()).toBe(true)
    },
  },
  {
    says: 'learns nothing from a trial whose client leaves: another one goes at once',
    opossum: false,
    async holds({ engine, open, wait, call, permit }) {
      await open()
      await wait()
      await call('nothing')
      expect(engine.isClosed()).toBe(false)
      permit()
      expect(engine.acquire()).toBe(undefined)
    },
  },
  {
    says: 'is not closed by a late answer to a call from before the outage',
    opossum: false,
    async holds({ engine, open, wait, advance, permit }) {
      const early = permit()
      await open()
      await wait()
      permit()
      early.report('fine', 5)
      await advance(0)
      expect(engine.isClosed()).toBe(false)
    },
  },
  {
    says: 'is not opened anew by late failures of calls from before the outage',
    opossum: false,
    settings: { openMs: 1_000 },
    async holds({ engine, open, wait, advance, permit, call }) {
      const early = Array.from({ length: 50 }, permit)
      await open()
      await wait()
      await call('fine')
      for (const permit of early) permit.report('failed', 5)
      await advance(0)
      expect(engine.isClosed()).toBe(true)
    },
  },
  {
    says: 'begins anew when it has closed: the failures that opened it count no more',
    opossum: false,
    settings: { openMs: 1_000 },
    async holds({ engine, open, wait, call }) {
      await open()
      await wait()
      await call('fine')
      await call('failed')
      expect(engine.isClosed()).toBe(true)
    },
  },
  {
    says: 'stays open twice as long each further time, five minutes at most, and begins anew after it has held',
    opossum: false,
    async holds({ engine, open, wait, advance, call }) {
      await open()
      const forMs: number[] = []
      for (let i = 0; i < 7; i++) {
        forMs.push(engine.retryInMs())
        await wait()
        await call('failed')
      }
      expect(forMs).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
      await wait()
      await call('fine')
      await advance(10_001)
      await open()
      expect(engine.retryInMs()).toBe(10_000)
    },
  },
  {
    says: 'goes on doubling when it opens again within a window of its closing',
    opossum: false,
    async holds({ engine, open, wait, call, advance }) {
      await open()
      await wait()
      await call('fine')
      await advance(5_000)
      await open()
      expect(engine.retryInMs()).toBe(20_000)
    },
  },
  {
    says: 'is open for up to a fifth less or more, by chance',
    opossum: false,
    chances: [0, 0.999_999],
    async holds({ engine, open, wait, call }) {
      await open()
      expect(engine.retryInMs()).toBe(8_000)
      await wait()
      await call('failed')
      expect(engine.retryInMs()).toBe(24_000)
    },
  },
  {
    says: 'takes the first word of a call, and what is reported twice once',
    opossum: true,
    async holds({ engine, permit, advance }) {
      const permits = Array.from({ length: 20 }, permit)
      for (const permit of permits) permit.report('fine', 5)
      for (const permit of permits) permit.report('failed', 5)
      await advance(0)
      expect(engine.isClosed()).toBe(true)
    },
  },
  {
    says: 'still lets those through who hold it when nobody asks for it any more',
    opossum: true,
    async holds({ engine, call }) {
      engine.retire()
      await call('fine')
    },
  },
]

describe('our own breaker', () => {
  test.each(table)('$says', (row) => row.holds(worldOf(createOwnEngine, row)))
})

describe('opossum', () => {
  test.each(table.filter(({ opossum }) => opossum))('$says', (row) => row.holds(worldOf(opossumEngines(), row)))

  test.each(table.filter(({ opossum }) => !opossum))('does not pass: $says', async (row) => {
    await expect(row.holds(worldOf(opossumEngines(), row))).rejects.toThrow()
  })
})
