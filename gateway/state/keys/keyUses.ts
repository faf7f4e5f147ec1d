// Who uses which key: by hour, route and address, with what is refused as well, so that one can be asked who still uses an old
// key, and what was done with one that has leaked.
// The danger it guards against: a memory that grows with whoever tries a key from ever new addresses.
import { randomUUID } from 'node:crypto'
import { type Store, StoreDown } from '../store/port.ts'
import type { KeyFile } from './keyFile.ts'

/** What was asked with a key in one hour, on one route, from one address. */
export interface KeyUse {
  /** Milliseconds since the epoch at which the hour began. */
  readonly hour: number
  readonly route: string
  /** `others` of those that there is no room for. */
  readonly address: string
  count: number
  /** Of them. */
  refused: number
  /** Milliseconds since the epoch. */
  lastAt: number
}

export interface KeyUses {
  note(
    id: string,
    use: { readonly route: string; readonly address: string; readonly atMs: number; readonly isRefused: boolean },
  ): void
  /** At this gateway, since it keeps count. */
  lastAt(id: string): number | undefined
  /** At all replicas, the oldest first. */
  of(id: string): Promise<readonly KeyUse[]>
  open(file: KeyFile, store: Store | undefined): void
  /** Writes down what is new. Rejects when it cannot be. */
  flush(): Promise<void>
}

const hourMs = 3_600_000
/** Of one key; beyond them addresses of an hour become `others`, and the oldest hours go. */
const mostRows = 256
const mostAddressesOfAnHour = 32
const storeName = 'keyUses'

interface Used {
  readonly rows: Map<string, KeyUse>
  last: KeyUse | undefined
  isNew: boolean
}

export function createKeyUses(): KeyUses {
  const used = new Map<string, Used>()
  let opened: { readonly file: KeyFile; readonly store: Store | undefined; readonly replica: string } | undefined

  function usedOf(id: string): Used {
    const one = used.get(id) ?? { rows: new Map(), last: undefined, isNew: false }
    used.set(id, one)
    return one
  }

  return {
    note(id, { route, address, atMs, isRefused }) {
      const one = usedOf(id)
      const hour = Math.floor(atMs / hourMs) * hourMs
      const { last } = one
      const isSame = last?.hour === hour && last.route === route && last.address === address
      const row = isSame ? last : rowOf(one.rows, { hour, route, address })
      row.count += 1
      if (isRefused) row.refused += 1
      row.lastAt = atMs
      one.last = row
      one.isNew = true
    },
    lastAt: (id) => used.get(id)?.last?.lastAt,
    async of(id) {
      const rows = [...(used.get(id)?.rows.values() ?? [])]
      const elsewhere = opened?.store ? await usesElsewhere(opened.store, id, opened.replica) : []
      return merged([...rows, ...elsewhere])
    },
    open(file, store) {
      // Of this stateDir for as long as it lasts: a name for each start would leave rows behind that nobody ends.
      const replica = file.recall('meta').get('replica') ?? randomUUID()
      file.remember('meta', [['replica', replica]])
      opened = { file, store, replica }
      for (const [id, text] of file.recall('uses')) {
        const rows = rowsOf(JSON.parse(text))
        used.set(id, { rows: new Map(rows.map((row) => [placeOf(row), row])), last: rows.at(-1), isNew: false })
      }
    },
    async flush() {
      const changed = [...used].filter(([, { isNew }]) => isNew)
      if (!opened || changed.length === 0) return
      const { file, store, replica } = opened
      for (const [, one] of changed) one.isNew = false
      file.remember(
        'uses',
        changed.map(([id, { rows }]) => [id, JSON.stringify([...rows.values()])] as const),
      )
      if (store?.state().is === 'up') await shareAll(store, replica, changed)
    },
  }
}

const placeOf = ({ hour, route, address }: Pick<KeyUse, 'hour' | 'route' | 'address'>) => `${hour} ${route} ${address}`

function rowOf(rows: Map<string, KeyUse>, at: Pick<KeyUse, 'hour' | 'route' | 'address'>): KeyUse {
  const found = rows.get(placeOf(at))
  if (found) return found
  const ofThisHour = [...rows.values()].filter(({ hour }) => hour === at.hour).length
  if (ofThisHour >= mostAddressesOfAnHour && at.address !== 'others') return rowOf(rows, { ...at, address: 'others' })
  const row = { ...at, count: 0, refused: 0, lastAt: 0 }
  rows.set(placeOf(at), row)
  const [oldest] = rows.keys()
  if (rows.size > mostRows && oldest !== undefined) rows.delete(oldest)
  return row
}

/** What the store does not take now is told with what is new after it. */
async function shareAll(
  store: Store,
  replica: string,
  changed: readonly (readonly [id: string, Used])[],
): Promise<void> {
  const owed = new Set(changed.map(([, one]) => one))
  try {
    for (const [id, one] of changed) {
      await store.put(storeName, `${id} ${replica}`, [...one.rows.values()])
      owed.delete(one)
    }
  } catch (thrown) {
    for (const one of owed) one.isNew = true
    if (!(thrown instanceof StoreDown)) throw thrown
  }
}

async function usesElsewhere(store: Store, id: string, replica: string): Promise<readonly KeyUse[]> {
  const documents = await store.all(storeName).catch(() => undefined)
  const others = [...(documents?.byKey ?? [])].filter(([key]) => key.startsWith(`${id} `) && key !== `${id} ${replica}`)
  return others.flatMap(([, { value }]) => rowsOf(value))
}

function merged(uses: readonly KeyUse[]): readonly KeyUse[] {
  const sums = new Map<string, KeyUse>()
  for (const use of uses) {
    const sum = sums.get(placeOf(use)) ?? { ...use, count: 0, refused: 0, lastAt: 0 }
    sum.count += use.count
    sum.refused += use.refused
    sum.lastAt = Math.max(sum.lastAt, use.lastAt)
    sums.set(placeOf(use), sum)
  }
  return [...sums.values()].sort((a, b) => a.hour - b.hour || b.count - a.count)
}

function rowsOf(value: unknown): KeyUse[] {
  return Array.isArray(value) ? (value as KeyUse[]) : []
}
