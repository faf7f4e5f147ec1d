// Stores under test, closed when their test has ended, and what to wait for.
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import {
  createStore,
  type Documents,
  type Store,
  type StoreOptions,
  type StoreState,
} from '../../../gateway/state/store.ts'
import { awakeMs } from '../../harness/awake.ts'
import { type RedisServer, startRedis } from '../../redis/server.ts'

let opened = 0

export const clock = { now: () => performance.now(), wall: () => Date.now() }

/** Unless its patience is what a test is about, a store has enough of it for a Redis on a machine that does other things too. */
export async function openStore(url: string, options: Partial<StoreOptions> = {}): Promise<Store> {
  const store = await createStore(url, {
    replicaId: `replica-${++opened}`,
    clock,
    random: Math.random,
    inPassingMs: 30_000,
    onFailure(thrown) {
      throw thrown
    },
    ...options,
  })
  onTestFinished(() => store.close())
  return store
}

export async function redisForTest(settings?: readonly string[]): Promise<RedisServer> {
  const redis = await startRedis(settings)
  onTestFinished(redis.stop)
  return redis
}

/** A client of the operator's, for what a store never does. */
export function adminOf({ port }: RedisServer): Redis {
  const admin = new Redis({ port, host: '127.0.0.1', protocol: 2 })
  admin.on('error', () => {})
  onTestFinished(() => admin.disconnect())
  return admin
}

/** Resolves with the state once it is that. */
export function becomes(store: Store, is: StoreState['is']): Promise<StoreState> {
  return new Promise((resolve) => {
    if (store.state().is === is) return resolve(store.state())
    const end = store.onState((state) => {
      if (state.is !== is) return
      end()
      resolve(state)
    })
  })
}

export interface Listening {
  /** All that it was told, in order. */
  readonly told: readonly Documents[]
  /** Resolves with the first that fits of what it is told from now on, or was told last. */
  until(fits: (documents: Documents) => boolean): Promise<Documents>
  end(): void
}

export function listenTo(store: Store, name: string): Listening {
  const told: Documents[] = []
  const waiting = new Set<() => void>()
  const end = store.onChange(name, (documents) => {
    told.push(documents)
    for (const look of [...waiting]) look()
  })
  return {
    told,
    end,
    until: (fits) =>
      new Promise((resolve) => {
        const look = () => {
          const last = told.at(-1)
          if (!last || !fits(last)) return
          waiting.delete(look)
          resolve(last)
        }
        waiting.add(look)
        look()
      }),
  }
}

/** For what says nothing when it happens: asks again and again, for a minute at most. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 60_000
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error('it did not come about')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

export interface Timed {
  /** Of the time that this process was awake. */
  readonly tookMs: number
  readonly thrown: unknown
}

/** How long a call took, and what it threw. */
export async function timed(call: () => Promise<unknown>): Promise<Timed> {
  const startedAt = awakeMs()
  const thrown = await call().then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return { tookMs: awakeMs() - startedAt, thrown }
}

const charge = { key: 'a', budget: { most: 1e9, perMs: 1 }, cost: 1, isDry: false, onStoreLoss: 'closed' as const }

/** Every call of the port, by name. */
export const everyCall: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  evictionPolicy: (store) => store.evictionPolicy(),
  put: (store) => store.put('overrides', 'key', 1),
  remove: (store) => store.remove('overrides', 'key'),
  all: (store) => store.all('overrides'),
  reportCounts: (store) => store.reportCounts('guard', 1000, new Map([['key', [1]]])),
  sumCounts: (store) => store.sumCounts('guard', [1000]),
  append: (store) => store.append('audit', 1),
  readStream: (store) => store.readStream('audit', { limit: 1 }),
  remember: (store) => store.remember('side', 'key', 'new', 1000),
  recall: (store) => store.recall('side', 'key'),
  setIfAbsent: (store) => store.setIfAbsent('split', 'key', 'secret'),
  draw: (store) => store.draw([charge]),
  settle: (store) =>
    store.settle([{ charge: { ...charge, isMet: true, level: { used: 1, at: 0, charged: 1, born: 0 } }, cost: 0 }]),
  announce: (store) => store.announce({}, 1000),
  replicas: (store) => store.replicas(),
}
