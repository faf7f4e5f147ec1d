// One engine of a circuit breaker and a clock that stands still. opossum takes its time from the process, so that both engines
// run by the same frozen one: call `vi.useFakeTimers` first.
import { vi } from 'vitest'
import type { BreakerSettings, CallResult, Permit } from '../../gateway/model.ts'
import type { CreateEngine, Engine, Turn } from '../../gateway/state/breaking/engine.ts'

const usual: BreakerSettings = {
  errorShareBasisPoints: 5_000,
  minRequests: 20,
  windowMs: 10_000,
  openMs: 10_000,
  engine: 'own',
}

/** One thing that a breaker must do. */
export interface Row {
  readonly says: string
  /** Whether opossum does it. */
  readonly opossum: boolean
  readonly settings?: Partial<BreakerSettings>
  readonly chances?: readonly number[]
  holds(world: World): Promise<void>
}

export interface World {
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
  /** Whether it is this replica that may try; at first it is. */
  giveTurn(isOurs: boolean): void
}

/** @param chances what chance says, the first one first; then always the middle */
export function worldOf(create: CreateEngine, { settings, chances = [] }: Pick<Row, 'settings' | 'chances'>): World {
  const turns: Turn[] = []
  const left = [...chances]
  const random = () => left.shift() ?? 0.5
  const turned = (turn: Turn) => void turns.push(turn)
  let isOurTurn = true
  const mayTry = () => isOurTurn
  const engine = create({ settings: { ...usual, ...settings }, now: () => Date.now(), random, mayTry, turned })
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
    giveTurn(isOurs) {
      isOurTurn = isOurs
    },
  }
  return world
}
