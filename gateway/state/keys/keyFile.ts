// The keys that this gateway knows: in memory, and in a file of its stateDir (keyDatabase.ts). Alone it is the store of keys;
// where replicas share one, it is the mirror.
// The danger it guards against: a disk that is full, and keeps a key alive that was to be revoked.
import { type KeyRecord, type Revocation, readRecord, readRevocation } from '../../identity/keyRecord.ts'
import { KeyDatabase } from './keyDatabase.ts'
import type { KeyStore } from './keyStore.ts'

export interface KeyFile extends KeyStore {
  /** One change of the disk for all of them; what is known in a newer version stays. In effect even if the disk refuses it. */
  take(news: { readonly records?: Iterable<KeyRecord>; readonly revocations?: Iterable<Revocation> }): void
  /** These alone are left, and the revocations. */
  keepOnly(ids: ReadonlySet<string>): void
  /** Texts under names: which set this is, what was used when. */
  remember(table: 'meta' | 'uses', entries: Iterable<readonly [name: string, text: string]>): void
  recall(table: 'meta' | 'uses'): ReadonlyMap<string, string>
}

/** @throws why the file cannot be used */
export function openKeyFile(stateDir: string): KeyFile {
  return new OwnKeys(new KeyDatabase(stateDir))
}

class OwnKeys implements KeyFile {
  readonly #database: KeyDatabase
  readonly #listeners = new Set<() => void>()
  #records = new Map<string, KeyRecord>()
  #revocations = new Map<string, Revocation>()
  #isClosed = false
  /** Something is in memory and not on the disk. */
  #isOwed = false

  constructor(database: KeyDatabase) {
    this.#database = database
    this.#read()
  }

  records(): ReadonlyMap<string, KeyRecord> {
    return this.#records
  }

  revocations(): ReadonlyMap<string, Revocation> {
    return this.#revocations
  }

  async put(record: KeyRecord): Promise<'done' | 'conflict'> {
    if ((this.#records.get(record.id)?.version ?? 0) !== record.version - 1) return 'conflict'
    this.take({ records: [record] })
    return 'done'
  }

  async revoke(revocation: Revocation): Promise<boolean> {
    this.take({ revocations: [revocation] })
    return true
  }

  take({ records = [], revocations = [] }: Parameters<KeyFile['take']>[0]): void {
    const newer = [...records].filter(({ id, version }) => version > (this.#records.get(id)?.version ?? 0))
    const newlyRevoked = [...revocations].filter(({ id }) => !this.#revocations.has(id))
    if (newer.length === 0 && newlyRevoked.length === 0) return
    for (const record of newer) this.#records.set(record.id, record)
    for (const revocation of newlyRevoked) this.#revocations.set(revocation.id, revocation)
    this.#tell()
    this.#writeDown(newer, newlyRevoked)
  }

  keepOnly(ids: ReadonlySet<string>): void {
    const gone = [...this.#records.keys()].filter((id) => !ids.has(id))
    this.#database.remove('records', gone)
    for (const id of gone) this.#records.delete(id)
    this.#tell()
  }

  remember(table: 'meta' | 'uses', entries: Iterable<readonly [name: string, text: string]>): void {
    this.#database.write({ [table]: entries })
  }

  recall(table: 'meta' | 'uses'): ReadonlyMap<string, string> {
    return new Map(this.#database.read(table))
  }

  silentMs(): number {
    return 0
  }

  trouble(): undefined {
    return undefined
  }

  async adopt(): Promise<readonly string[]> {
    return []
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async round(): Promise<void> {
    if (this.#isClosed) return
    if (this.#isOwed) this.#writeDown(this.#records.values(), this.#revocations.values())
    // A gateway that takes over from this one has the same file open.
    if (!this.#database.isChangedByOthers()) return
    this.#read()
    this.#tell()
  }

  close(): void {
    if (!this.#isClosed) this.#database.close()
    this.#isClosed = true
  }

  #writeDown(records: Iterable<KeyRecord>, revocations: Iterable<Revocation>): void {
    this.#isOwed = true
    this.#database.write({ records: entriesOf(records), revocations: entriesOf(revocations) })
    this.#isOwed = false
  }

  #read(): void {
    const read = <T extends { id: string }>(
      table: 'records' | 'revocations',
      parse: (value: unknown) => T | undefined,
    ) =>
      this.#database.read(table).flatMap(([, text]) => {
        const one = parse(JSON.parse(text))
        return one ? [[one.id, one] as const] : []
      })
    this.#records = new Map(read('records', readRecord))
    // What this process has revoked stays so, be it on the disk or not.
    this.#revocations = new Map([...this.#revocations, ...read('revocations', readRevocation)])
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

function entriesOf(all: Iterable<KeyRecord | Revocation>) {
  return [...all].map((one) => [one.id, JSON.stringify(one)] as const)
}
