// The store of one replica: the contract of the shared one, kept in this process and gone with it.
// The danger it guards against: a caller that works with it and not with Redis, so values are text here as they are there.
import type { Clock } from '../../model.ts'
import { createMemoryBudgets } from '../limits/memory.ts'
import { createChanges } from './changes.ts'
import { keptCountsMs, sumOf, textOfCounts } from './counts.ts'
import { parse, textOf } from './json.ts'
import type {
  CountStore,
  Document,
  DocumentStore,
  Documents,
  RecordStore,
  ReplicaStore,
  Store,
  StoreOptions,
  ValueStore,
  Written,
} from './port.ts'

const keptRecords = 10_000

const mostBudgets = 10_000

export function createMemoryStore({ replicaId, clock, onFailure }: StoreOptions): Store {
  const since = clock.wall()
  const { draw, settle } = createMemoryBudgets(clock, mostBudgets)
  return {
    draw: async (charges) => draw(charges),
    settle: async (settled) => settle(settled),
    ...createDocuments(clock, onFailure),
    ...createCounts(clock),
    ...createRecords(),
    ...createValues(clock),
    ...createReplicas(replicaId, clock),
    state: () => ({ is: 'up', since }),
    onState: () => () => {},
    evictionPolicy: async () => 'noeviction',
    close() {},
  }
}

interface Kept {
  readonly text: string
  readonly revision: number
}

interface Named {
  revision: number
  readonly byKey: Map<string, Kept>
}

function createDocuments(clock: Clock, onFailure: (thrown: unknown) => void): DocumentStore {
  const byName = new Map<string, Named>()
  const readOne = ({ text, revision }: Kept): Document => ({ value: parse(text), revision })
  const all = async (name: string): Promise<Documents> => {
    const { revision, byKey } = byName.get(name) ?? { revision: 0, byKey: new Map<string, Kept>() }
    return { revision, byKey: new Map([...byKey].map(([key, kept]) => [key, readOne(kept)])) }
  }
  const changes = createChanges(all, onFailure)

  /** @param text undefined removes */
  function write(name: string, key: string, text: string | undefined, ifRevision?: number): Written {
    const named = byName.get(name) ?? { revision: 0, byKey: new Map<string, Kept>() }
    const found = named.byKey.get(key)
    if (ifRevision !== undefined && ifRevision !== (found?.revision ?? 0)) {
      return { done: false, found: found && readOne(found) }
    }
    if (text === undefined && !found) return { done: true, revision: named.revision }
    named.revision = Math.max(named.revision + 1, clock.wall() * 1000)
    if (text === undefined) named.byKey.delete(key)
    else named.byKey.set(key, { text, revision: named.revision })
    byName.set(name, named)
    void changes.refresh(name)
    return { done: true, revision: named.revision }
  }

  return {
    put: async (name, key, value, condition) => write(name, key, textOf(value), condition?.ifRevision),
    remove: async (name, key, condition) => write(name, key, undefined, condition?.ifRevision),
    all,
    onChange: changes.onChange,
  }
}

function createCounts(clock: Clock): CountStore {
  const byName = new Map<string, Map<number, string>>()
  return {
    async reportCounts(name, slotAt, counts) {
      const slots = byName.get(name) ?? new Map<number, string>()
      byName.set(name, slots.set(slotAt, textOfCounts(counts)))
      for (const old of slots.keys()) if (old < clock.wall() - keptCountsMs) slots.delete(old)
    },
    async sumCounts(name, slots) {
      return slots.map((slotAt) => sumOf([byName.get(name)?.get(slotAt) ?? '[]']))
    },
  }
}

function createRecords(): RecordStore {
  const byName = new Map<string, { readonly id: string; readonly text: string }[]>()
  let appended = 0
  return {
    async append(name, value) {
      const records = byName.get(name) ?? []
      const id = String(++appended)
      records.push({ id, text: textOf(value) })
      byName.set(name, records)
      if (records.length > keptRecords) records.shift()
      return id
    },
    async readStream(name, { limit, after }) {
      const records = byName.get(name) ?? []
      const chosen =
        after === undefined
          ? records.slice(Math.max(0, records.length - limit))
          : records.filter(({ id }) => Number(id) > Number(after)).slice(0, limit)
      return chosen.map(({ id, text }) => ({ id, value: parse(text) }))
    },
  }
}

function createValues(clock: Clock): ValueStore {
  const values = new Map<string, { readonly value: string; readonly until: number }>()
  const keyOf = (name: string, key: string) => `${name}:${key}`
  function recall(name: string, key: string): string | undefined {
    const kept = values.get(keyOf(name, key))
    return kept && kept.until > clock.now() ? kept.value : undefined
  }
  function forgetOld(): void {
    for (const [key, { until }] of values) {
      if (until <= clock.now()) values.delete(key)
    }
  }
  return {
    async remember(name, key, value, ttlMs) {
      forgetOld()
      values.set(keyOf(name, key), { value, until: clock.now() + ttlMs })
    },
    recall: async (name, key) => recall(name, key),
    async setIfAbsent(name, key, value) {
      const found = recall(name, key)
      if (found === undefined) values.set(keyOf(name, key), { value, until: Number.POSITIVE_INFINITY })
      return found ?? value
    },
  }
}

function createReplicas(replicaId: string, clock: Clock): ReplicaStore {
  let announced: { readonly text: string; readonly until: number } | undefined
  return {
    async announce(info, ttlMs) {
      announced = { text: textOf(info), until: clock.now() + ttlMs }
    },
    async replicas() {
      if (!announced || announced.until <= clock.now()) return new Map()
      return new Map([[replicaId, parse(announced.text)]])
    },
  }
}
