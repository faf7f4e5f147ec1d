// All about keys of ours, put together: what keeps them, what they are hashed under, who uses them, what is ordered of them.
// The danger it guards against: a site that falls because its keys cannot be read. Then only who sends a key is told to wait.
import { randomBytes } from 'node:crypto'
import { parseKey } from '../../identity/keyFormat.ts'
import { isKeyOf } from '../../identity/keyHash.ts'
import { type KeyRecord, standingOf, works } from '../../identity/keyRecord.ts'
import type { KeySettings } from '../../model.ts'
import type { Store } from '../store/port.ts'
import { realSchedule } from '../streams.ts'
import { deafness } from './deafness.ts'
import type { KeyBook, KeyBookParts, KeySight } from './keyBook.ts'
import { createKeyCheck, type KeyVerdict } from './keyCheck.ts'
import { type KeyFile, openKeyFile } from './keyFile.ts'
import { createKeyOrders, type KeyOrders } from './keyOrders.ts'
import type { KeyStore } from './keyStore.ts'
import { createKeyStreams, type KeyStreams } from './keyStreams.ts'
import { createKeyUses, type KeyUse, type KeyUses } from './keyUses.ts'
import { createPeppers, type Peppers } from './peppers.ts'
import { type SharedKeys, shareKeys } from './sharedKeys.ts'

const flushEveryMs = 10_000

export function createKeys(parts: KeyBookParts): KeyBook {
  return new Keys(parts)
}

class Keys implements KeyBook {
  readonly #parts: KeyBookParts
  readonly #peppers: Peppers
  readonly #uses: KeyUses = createKeyUses()
  readonly #streams: KeyStreams
  readonly #verdicts = new Map<KeyVerdict, number>()
  readonly #orders: KeyOrders
  #settings: KeySettings = { env: 'live', maxAgeMs: 0, warnMs: 0, overlapMs: 0 }
  #file: KeyFile | undefined
  #shared: SharedKeys | undefined
  #denied: ReadonlySet<string> = new Set()
  #unreadable: string | undefined
  #flushedAtMs = 0
  readonly check: KeyBook['check']

  constructor(parts: KeyBookParts) {
    this.#parts = parts
    this.#peppers = createPeppers(parts.onTrouble)
    this.#streams = createKeyStreams({ clock: parts.clock, schedule: realSchedule, mayGoOn: (id) => this.#mayGoOn(id) })
    const common = { store: () => this.#store(), peppers: () => this.#peppers.all(), policy: () => this.#settings }
    const isDenied = (id: string) => this.#denied.has(id)
    this.check = createKeyCheck({ ...common, isDenied, uses: this.#uses, now: parts.clock.now }, (verdict) => {
      this.#verdicts.set(verdict, (this.#verdicts.get(verdict) ?? 0) + 1)
    })
    this.#orders = createKeyOrders({
      ...common,
      clock: parts.clock,
      random: randomBytes,
      obstacle: () => this.#obstacle(),
    })
  }

  issue: KeyOrders['issue'] = (wish, by) => this.#orders.issue(wish, by)
  rotate: KeyOrders['rotate'] = (id, by) => this.#orders.rotate(id, by)
  revoke: KeyOrders['revoke'] = (id, ordered) => this.#orders.revoke(id, ordered)
  adopt: KeyOrders['adopt'] = () => this.#orders.adopt()
  hold: KeyBook['hold'] = (answer, keyId) => this.#streams.hold(answer, keyId)

  sights(): readonly KeySight[] {
    const store = this.#store()
    const [newest] = this.#peppers.all()
    const nowMs = this.#parts.clock.wall()
    return [...(store?.records().values() ?? [])].map((record) => {
      const revocation = store?.revocations().get(record.id)
      const lastUsedAt = this.#uses.lastAt(record.id)
      return {
        record,
        ...(revocation && { revocation }),
        standing: standingOf(record, revocation, this.#settings, nowMs),
        isDenied: this.#denied.has(record.id),
        ...(lastUsedAt !== undefined && { lastUsedAt }),
        isUnderNewestPepper: newest !== undefined && Object.hasOwn(record.hashes, newest.id),
      }
    })
  }

  recognise(key: string): KeyRecord | undefined {
    const record = this.#store()
      ?.records()
      .get(parseKey(key)?.id ?? '')
    return record && isKeyOf(key, record.hashes, this.#peppers.all()) ? record : undefined
  }

  isRevoked(id: string): boolean {
    return this.#store()?.revocations().has(id) ?? false
  }

  usesOf(id: string): Promise<readonly KeyUse[]> {
    return this.#uses.of(id)
  }

  verdicts(): ReadonlyMap<KeyVerdict, number> {
    return this.#verdicts
  }

  streams(): ReturnType<KeyStreams['count']> {
    return this.#streams.count()
  }

  policy(): KeySettings {
    return this.#settings
  }

  troubles(): readonly string[] {
    return [this.#unreadable, this.#shared?.trouble(), deafness(this.silentMs(), this.#settings)].filter(
      (reason) => reason !== undefined,
    )
  }

  silentMs(): number {
    return this.#store()?.silentMs() ?? 0
  }

  revisions(): ReturnType<SharedKeys['revisions']> | undefined {
    return this.#shared?.revisions()
  }

  deny(ids: ReadonlySet<string>): void {
    this.#denied = ids
    this.#streams.sweep()
  }

  follow(settings: KeySettings): void {
    this.#settings = settings
    this.#peppers.follow(settings.peppers)
  }

  async open(stateDir: string, store: Store | undefined): Promise<void> {
    const { clock, onApplied, onTrouble } = this.#parts
    try {
      const file = openKeyFile(stateDir)
      this.#file = file
      const tellFailure = (thrown: unknown) => onTrouble(`keys are not in step: ${String(thrown)}`)
      if (store) this.#shared = await shareKeys({ mirror: file, store, clock, onApplied, tellFailure })
      await this.#peppers.open(stateDir, file.records().size === 0)
      this.#uses.open(file, store)
      file.onChange(() => this.#streams.sweep())
    } catch (thrown) {
      this.#unreadable = `the keys cannot be read, and clients who send one are told to wait (503): ${String(thrown)}`
      onTrouble(this.#unreadable)
      this.#file = undefined
    }
  }

  async round(): Promise<void> {
    const { clock, onTrouble } = this.#parts
    try {
      await this.#store()?.round()
      // Ages pass by themselves.
      this.#streams.sweep()
      if (clock.now() - this.#flushedAtMs < flushEveryMs) return
      this.#flushedAtMs = clock.now()
      await this.#uses.flush()
    } catch (thrown) {
      onTrouble(`keys are not written down: ${String(thrown)}`)
    }
  }

  async close(): Promise<void> {
    await this.#peppers.close()
    await this.#uses.flush().catch((thrown) => this.#parts.onTrouble(`uses of keys are not written down: ${thrown}`))
    this.#store()?.close()
    this.#file = undefined
    this.#shared = undefined
  }

  #store(): KeyStore | undefined {
    return this.#file && (this.#shared ?? this.#file)
  }

  #obstacle(): string | undefined {
    if (this.#peppers.all().length === 0) return 'there is no pepper to hash keys under; the log says why'
    if (!this.#shared || !this.#peppers.isOwn()) return undefined
    return 'the replicas share their keys, and each would hash them under a pepper of its own; give all of them the same: keys.peppers in routes.yaml'
  }

  #mayGoOn(id: string): boolean {
    const store = this.#store()
    const record = store?.records().get(id)
    // What cannot be read now has been read when the stream began.
    if (!store || !record) return store === undefined
    const standing = standingOf(record, store.revocations().get(id), this.#settings, this.#parts.clock.wall())
    return works(standing) && !this.#denied.has(id)
  }
}
