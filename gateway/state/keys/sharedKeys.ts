// Keys that replicas share: in the store, with this gateway's own file as the mirror that it serves from, also while the store
// is away and after a restart without it.
// The danger it guards against: a replica that hears nothing, and goes on for ever with keys that the others have revoked.
import type { KeyRecord, Revocation } from '../../identity/keyRecord.ts'
import { StoreDown } from '../store/port.ts'
import { type KeyStore, KeysUnwritten } from './keyStore.ts'
import type { SharedParts } from './sharedParts.ts'
import { SharedRecords } from './sharedRecords.ts'
import { type SharedRevocations, shareRevocations } from './sharedRevocations.ts'

/** Pushes get lost, and whoever is to pass them on may be deaf. */
const resyncMs = 2_000
/** So often it is written down when the store was heard last, for a restart without it. */
const notedEveryMs = 30_000
const heardKey = 'heardAt'

/** Resolves once the store has been read, or could not be. */
export async function shareKeys(parts: SharedParts): Promise<SharedKeys> {
  const tellFailure = (thrown: unknown) => {
    if (!(thrown instanceof StoreDown) && !(thrown instanceof KeysUnwritten)) parts.tellFailure(thrown)
  }
  const shared = new SharedKeys({ ...parts, tellFailure })
  await shared.open()
  return shared
}

export class SharedKeys implements KeyStore {
  readonly #parts: SharedParts
  readonly #records: SharedRecords
  readonly #revocations: SharedRevocations
  #heardAtMs: number
  /** Milliseconds since the epoch. */
  #notedAtMs: number
  #isClosed = false
  #lookedAtMs = Number.NEGATIVE_INFINITY

  constructor(parts: SharedParts) {
    this.#parts = parts
    const { clock, mirror } = parts
    // A start makes a mirror no younger.
    this.#notedAtMs = Number(mirror.recall('meta').get(heardKey) ?? clock.wall())
    this.#heardAtMs = clock.now() - Math.max(0, clock.wall() - this.#notedAtMs)
    this.#records = new SharedRecords(parts)
    this.#revocations = shareRevocations(parts)
  }

  async open(): Promise<void> {
    await Promise.all([this.#resync(), this.#records.read()])
  }

  records(): ReadonlyMap<string, KeyRecord> {
    return this.#parts.mirror.records()
  }

  revocations(): ReadonlyMap<string, Revocation> {
    return this.#parts.mirror.revocations()
  }

  async put(record: KeyRecord): Promise<'done' | 'conflict'> {
    const trouble = this.trouble()
    if (trouble) throw new KeysUnwritten(trouble)
    return this.#records.put(record)
  }

  async revoke(revocation: Revocation): Promise<boolean> {
    // The others are to know, also if the disk here refuses it.
    const kept = this.#parts.mirror.revoke(revocation)
    const [isKnown] = await Promise.all([this.#revocations.publish(revocation), kept])
    return isKnown
  }

  silentMs(): number {
    return this.#parts.clock.now() - this.#heardAtMs
  }

  trouble(): string | undefined {
    if (!this.#records.isOther) return undefined
    return 'the store holds another set of keys than this gateway: it was emptied and filled anew, or it is that of another fleet; correct store.state, or take its keys over: banyan keys adopt --reason TEXT'
  }

  adopt(): Promise<readonly string[]> {
    return this.#records.adopt()
  }

  onChange(listener: () => void): () => void {
    return this.#parts.mirror.onChange(listener)
  }

  async round(): Promise<void> {
    await this.#parts.mirror.round()
    if (this.#parts.clock.now() - this.#lookedAtMs >= resyncMs) await this.#resync()
  }

  /** Of the revocations that are in force here, and of the newest that was put from here. */
  revisions(): { readonly applied: number; readonly published: number } {
    return { applied: this.#revocations.appliedRevision, published: this.#revocations.publishedRevision }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const { clock } = this.#parts
    this.#noteHeard(clock.wall() - this.silentMs())
    this.#records.close()
    this.#revocations.close()
    this.#parts.mirror.close()
  }

  /** Reads what may have been missed. The time counts from before it was asked. */
  async #resync(): Promise<void> {
    const { clock } = this.#parts
    const [askedAtMs, wallMs] = [clock.now(), clock.wall()]
    this.#lookedAtMs = askedAtMs
    if (!(await this.#revocations.read()) || this.#isClosed) return
    this.#heardAtMs = askedAtMs
    if (wallMs - this.#notedAtMs >= notedEveryMs) this.#noteHeard(wallMs)
  }

  #noteHeard(wallMs: number): void {
    this.#notedAtMs = wallMs
    try {
      this.#parts.mirror.remember('meta', [[heardKey, String(wallMs)]])
    } catch (thrown) {
      this.#parts.tellFailure(thrown)
    }
  }
}
