// What replicas share, put together: overrides, the split key, what guards count, the audit, and who is there at all.
// The danger it guards against: a gateway that needs its store. Without it each goes on with what it knows, from its mirror
// and its own windows; and only one that knows nothing at all, having neither, keeps moves below live at the old side.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Clock, CoreSettings, Snapshot } from '../model.ts'
import type { Votes } from './breaking/votes.ts'
import type { Guards, Seen } from './guarding.ts'
import type { RolloutBook, RolloutState } from './rolloutBook.ts'
import { type SharedCounts, shareCounts } from './sharing/counts.ts'
import { watchEviction } from './sharing/eviction.ts'
import { createFleetSize } from './sharing/fleetSize.ts'
import { type SharedOverrides, shareOverrides } from './sharing/overrides.ts'
import { type SharedRecords, shareRecords } from './sharing/records.ts'
import { type Announced, createReplicas, type Replicas } from './sharing/replicas.ts'
import { createVotes } from './sharing/votes.ts'
import { createStore, type Store, type StoreState } from './store.ts'

export interface SharingView {
  /** The name of this process among the replicas. */
  readonly id: string
  /** `memory`: nothing is shared. Since when in ISO 8601. */
  readonly store: { readonly is: 'memory' | StoreState['is']; readonly since?: string; readonly why?: string }
  /** Those that are alive, this one too, each with the hash of the file that it serves; empty while nobody can know. */
  readonly replicas: readonly { readonly id: string; readonly hash: string }[]
}

export interface Sharing {
  /** Reads what stateDir remembers and what the store holds; once, before the first Snapshot. */
  open(stateDir: string, settings: Pick<CoreSettings, 'store' | 'replicas'>): Promise<void>
  follow(snapshot: Pick<Snapshot, 'hash'>): void
  /** Says what is new, and hears it; called each second. */
  round(guards: Guards): void
  /** What the other replicas saw. */
  seen(state: RolloutState): Seen | undefined
  /** Undefined while nothing is shared. */
  records(): SharedRecords | undefined
  store(): Store | undefined
  /** How many gateways share what upstreams may be given. */
  fleetSize(): number
  /** What breakers say to each other. */
  readonly votes: Votes
  view(): Promise<SharingView>
  /** That the store is down, as a sentence. */
  hints(): readonly string[]
  /** Who has not confirmed what was decided here last, after five seconds; empty when all have. */
  unconfirmed(): Promise<readonly string[]>
  close(): Promise<void>
}

export interface SharingParts {
  readonly book: RolloutBook
  readonly clock: Clock
  readonly random: () => number
  /** The store is up, or is not; told at the start and at each change. */
  onState(state: StoreState): void
  /** The store may forget what it holds; a sentence for the operator. */
  onEvicting(sentence: string): void
  onFailure(thrown: unknown): void
}

interface Opened {
  readonly store: Store
  readonly overrides: SharedOverrides
  readonly counts: SharedCounts
  readonly records: SharedRecords
  readonly replicas: Replicas
  readonly expected: number
  agree(): Promise<void>
  evictionHints(): readonly string[]
}

const confirmedWithinMs = 5_000

export function createSharing(parts: SharingParts): Sharing {
  const id = `${hostname().replaceAll(/[^A-Za-z0-9.-]/g, '_')}-${process.pid}-${randomBytes(3).toString('hex')}`
  let isOpen = false
  let opened: Opened | undefined
  let size = createFleetSize(undefined, 1)
  let hash = ''
  const votes = createVotes({ ...parts, id, living: () => size.living(), size: () => size.now() })
  const announce = async () => opened?.replicas.announce({ applied: opened.overrides.appliedRevision, hash })

  return {
    async open(stateDir, { store, replicas }) {
      if (isOpen) return
      isOpen = true
      const isMirrored = await parts.book.open(stateDir)
      size = createFleetSize(undefined, replicas)
      if (store.state === 'memory:') return
      opened = await openShared({ ...parts, id, url: store.state, expected: replicas, announce })
      size = createFleetSize(opened.replicas, replicas)
      votes.open(opened.store)
      await opened.agree()
      await opened.overrides.start().catch(() => !isMirrored && parts.book.know(false))
    },
    follow(snapshot) {
      hash = snapshot.hash
      opened?.overrides.takeOverAgain()
      void announce()
    },
    round(guards) {
      if (!opened) return
      void announce()
      void size.count()
      void opened.counts.exchange(seenHere(parts.book, guards))
      opened.overrides.retry()
      opened.records.retry()
      votes.round()
    },
    votes,
    seen: (state) => opened?.counts.of(state),
    records: () => opened?.records,
    store: () => opened?.store,
    fleetSize: () => size.now(),
    view: () => viewOf(id, opened),
    hints: () => (opened ? [...downHints(opened.store.state()), ...opened.evictionHints()] : []),
    unconfirmed: async () => (opened ? unconfirmedBy(opened) : []),
    async close() {
      opened?.overrides.close()
      await opened?.replicas.leave()
      opened?.store.close()
    },
  }
}

interface Opening extends SharingParts {
  readonly id: string
  readonly url: string
  readonly expected: number
  announce(): Promise<void>
}

async function openShared({ book, clock, random, id, url, expected, ...told }: Opening): Promise<Opened> {
  const { onState, onEvicting, onFailure, announce } = told
  const store = await createStore(url, { replicaId: id, clock, random, onFailure })
  const agree = () => agreeOnKey(store, book, onFailure)
  const onApplied = (wasEmptied: boolean) => {
    void announce()
    if (wasEmptied) void agree()
  }
  const overrides = shareOverrides({ book, store, onApplied, onFailure })
  const records = shareRecords(store, onFailure)
  const replicas = createReplicas({ store, id, expected, clock })
  const evictionHints = watchEviction(store, onEvicting)
  onState(store.state())
  store.onState((state) => {
    onState(state)
    if (state.is === 'down') return
    void agree()
    void announce()
    overrides.retry()
    records.retry()
  })
  const counts = shareCounts({ store, id, clock })
  return { store, overrides, records, replicas, counts, expected, agree, evictionHints }
}

/** All replicas put a client into the same bucket: under the key of the first that came. */
async function agreeOnKey(store: Store, book: RolloutBook, onFailure: (thrown: unknown) => void): Promise<void> {
  const key = await store.setIfAbsent('split', 'key', book.splitKey()).catch(() => undefined)
  if (key !== undefined) await book.useSplitKey(key).catch(onFailure)
}

function seenHere(book: RolloutBook, guards: Guards): ReadonlyMap<RolloutState, Seen> {
  const judged = book.states().filter(({ effective: { stage } }) => stage === 'canary' || stage === 'live')
  return new Map(
    judged.flatMap((state) => {
      const seen = guards.seenOf(state.rollout.key)
      return seen ? [[state, seen] as const] : []
    }),
  )
}

async function unconfirmedBy({ store, overrides, replicas, expected }: Opened): Promise<readonly string[]> {
  const revision = await overrides.settled()
  const missing = revision === undefined ? undefined : replicas.missing(revision, confirmedWithinMs)
  const found = await missing?.catch(() => undefined)
  if (found) return found
  const { why = 'it does not take what was decided' } = store.state()
  return expected > 1 ? [`all others of ${expected} replicas: the store is not to be had (${why})`] : []
}

async function viewOf(id: string, opened: Opened | undefined): Promise<SharingView> {
  if (!opened) return { id, store: { is: 'memory' }, replicas: [] }
  const { is, since, why } = opened.store.state()
  const alive = await opened.replicas.all().catch(() => new Map<string, Announced>())
  return {
    id,
    store: { is, since: new Date(since).toISOString(), ...(why !== undefined && { why }) },
    replicas: [...alive].map(([replica, { hash }]) => ({ id: replica, hash })),
  }
}

function downHints(state: StoreState): readonly string[] {
  if (state.is !== 'down') return []
  return [
    `the store is down since ${new Date(state.since).toISOString()} (${state.why}): what is decided here is not known to other replicas until it is back`,
  ]
}
