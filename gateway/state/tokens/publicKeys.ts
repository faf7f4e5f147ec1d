// The public keys of all replicas, in the store: whoever is asked whom to believe can answer for the others.
// The danger it guards against: a token of one replica that a service cannot check because it asked another.
import type { Store } from '../store/port.ts'
import type { PublicKey } from './signing.ts'

export interface PublicKeys {
  /** As they were read last, without those whose time is over. */
  known(nowMs: number): readonly PublicKey[]
  /** Adds ours, and reads all. Never rejects. @param untilMs nobody uses ours after that; milliseconds since the epoch */
  share(own: readonly PublicKey[], nowMs: number, untilMs: number): Promise<void>
}

interface Shared {
  readonly key: PublicKey
  readonly untilMs: number
}

const name = 'signing'

export function createPublicKeys(store: () => Store | undefined): PublicKeys {
  let all: ReadonlyMap<string, Shared> = new Map()

  async function exchange(shared: Store, own: readonly PublicKey[], nowMs: number, untilMs: number): Promise<void> {
    const { byKey } = await shared.all(name)
    all = new Map([...byKey].map(([id, { value }]) => [id, value as Shared]))
    for (const key of own) {
      if (!all.has(key.kid)) await shared.put(name, key.kid, { key, untilMs } satisfies Shared)
    }
    for (const [id, { untilMs }] of all) if (untilMs < nowMs) await shared.remove(name, id)
  }

  return {
    known: (nowMs) => [...all.values()].filter(({ untilMs }) => untilMs >= nowMs).map(({ key }) => key),
    async share(own, nowMs, untilMs) {
      const shared = store()
      try {
        if (shared) await exchange(shared, own, nowMs, untilMs)
      } catch {
        // Told where the store is. Others learn of a key at the next look, which is long before it signs.
      }
    },
  }
}
