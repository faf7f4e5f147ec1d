// The rows of the table of what a circuit breaker must do (breakerTable.ts) that are about other replicas.
import { expect } from 'vitest'
import type { Row } from './breakerWorld.ts'

export const fleetRows: readonly Row[] = [
  {
    says: 'opens when the fleet says so, for as long as it says, and closes when it says so',
    opossum: false,
    async holds({ engine, call, turns, advance }) {
      await call('fine', 20)
      engine.obey({ to: 'open', forMs: 7_000, reason: 'the fleet' })
      expect([engine.state(), engine.acquire(), engine.retryInMs()]).toEqual(['open', undefined, 7_000])
      await advance(1)
      engine.obey({ to: 'closed', reason: 'the fleet again' })
      expect(engine.isClosed()).toBe(true)
      expect(turns).toEqual([
        { from: 'closed', to: 'open', reason: 'the fleet', forMs: 7_000, isFleets: true },
        { from: 'open', to: 'closed', reason: 'the fleet again', isFleets: true },
      ])
    },
  },
  {
    says: 'hears of calls from before the fleet opened it no more',
    opossum: false,
    async holds({ engine, call, permit, advance }) {
      const before = Array.from({ length: 20 }, permit)
      engine.obey({ to: 'open', forMs: 1_000, reason: 'the fleet' })
      engine.obey({ to: 'closed', reason: 'the fleet again' })
      for (const permit of before) permit.report('failed', 5)
      await advance(0)
      expect(engine.isClosed()).toBe(true)
      await call('failed', 19)
      expect(engine.isClosed()).toBe(true)
    },
  },
  {
    says: 'lets no trial through while it is the turn of another replica',
    opossum: true,
    async holds({ engine, open, wait, giveTurn }) {
      await open()
      giveTurn(false)
      await wait()
      expect([engine.acquire(), engine.isClosed()]).toEqual([undefined, false])
      giveTurn(true)
      expect(engine.acquire()).toBeDefined()
    },
  },
  {
    says: 'waits anew when the trial of another replica has failed, twice as long as that one did',
    opossum: false,
    async holds({ engine, open, wait, call, turns }) {
      await open()
      await wait()
      engine.obey({ to: 'open', forMs: 20_000, reason: 'the trial of another' })
      expect([engine.acquire(), engine.retryInMs(), turns.length]).toEqual([undefined, 20_000, 1])
      await wait()
      await call('failed')
      expect(engine.retryInMs()).toBe(40_000)
    },
  },
]
