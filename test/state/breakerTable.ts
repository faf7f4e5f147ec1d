// What a circuit breaker must do, row by row, whichever engine it has; gateway/decisions/0007-breaker.md shows the same rows.
import { expect } from 'vitest'
import { fleetRows } from './breakerTableFleet.ts'
import type { Row } from './breakerWorld.ts'

const slow = { afterMs: 1_000, shareBasisPoints: 5_000 }

export const table: readonly Row[] = [
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
    says: 'forgets bit by bit: what is newer than its window still counts',
    opossum: true,
    async holds({ engine, call, advance }) {
      await call('failed', 15)
      await advance(6_000)
      await call('fine', 15)
      await advance(5_000)
      await call('failed', 14)
      expect(engine.isClosed()).toBe(true)
      await call('failed')
      expect(engine.isClosed()).toBe(false)
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
    says: 'forgets slow answers too',
    opossum: true,
    settings: { slow },
    async holds({ engine, call, advance }) {
      await call('fine', 15, 2_000)
      await advance(6_000)
      await call('fine', 15)
      await advance(5_000)
      await call('fine', 14, 2_000)
      expect(engine.isClosed()).toBe(true)
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
    says: 'counts a failed answer that broke off, too, once',
    opossum: false,
    async holds({ engine, permit, call, advance }) {
      await call('fine', 30)
      for (let i = 0; i < 19; i++) {
        const failed = permit()
        failed.report('failed', 5)
        failed.broke()
      }
      await advance(0)
      expect(engine.isClosed()).toBe(true)
    },
  },
  {
    says: 'counts a break that comes when its answer is forgotten, and takes nothing off those of now',
    opossum: true,
    settings: { errorShareBasisPoints: 500 },
    async holds({ engine, permit, call, advance }) {
      const old = permit()
      old.report('fine', 5)
      await advance(10_000)
      await call('fine', 19)
      old.broke()
      await advance(0)
      expect(engine.isClosed()).toBe(false)
    },
  },
  {
    says: 'does not count a break of an answer from before the outage',
    opossum: false,
    settings: { openMs: 1_000, minRequests: 1 },
    async holds({ engine, permit, call, advance, wait }) {
      const old = permit()
      old.report('fine', 5)
      await call('failed')
      await wait()
      await call('fine')
      old.broke()
      await advance(0)
      expect(engine.isClosed()).toBe(true)
    },
  },
  {
    says: 'counts a trial that broke off after it had closed the circuit',
    opossum: true,
    settings: { minRequests: 1 },
    async holds({ engine, permit, call, advance, wait }) {
      await call('failed')
      await wait()
      const trial = permit()
      trial.report('fine', 5)
      await advance(0)
      expect(engine.isClosed()).toBe(true)
      trial.broke()
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
    says: 'lets no third one through when the client of a trial that was given up leaves',
    opossum: false,
    async holds({ engine, open, wait, advance, permit }) {
      await open()
      await wait()
      const first = permit()
      await advance(10_000)
      permit()
      first.report('nothing', 5)
      await advance(0)
      expect([engine.acquire(), engine.isClosed()]).toEqual([undefined, false])
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
  ...fleetRows,
  {
    says: 'still lets those through who hold it when nobody asks for it any more',
    opossum: true,
    async holds({ engine, call }) {
      engine.retire()
      await call('fine')
    },
  },
]
