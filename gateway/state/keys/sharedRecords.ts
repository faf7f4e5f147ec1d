// Records of keys that replicas share; the newest version of each counts. They belong to one set, which has a name: a gateway
// whose keys are of another set takes nothing over and gives nothing away.
// The danger it guards against: a store that was emptied, or is that of another fleet, and takes everybody's keys away.
import { randomUUID } from 'node:crypto'
import { type KeyRecord, readRecord } from '../../identity/keyRecord.ts'
import { type Document, type Documents, StoreDown } from '../store/port.ts'
import { createGiver } from './giver.ts'
import { KeysUnwritten } from './keyStore.ts'
import type { SharedParts } from './sharedParts.ts'

const name = 'keys'
/** In the place of a key's id: the name of the set. */
const setKey = 'set'

export class SharedRecords {
  readonly #parts: SharedParts
  readonly #give = createGiver((record: KeyRecord) => this.#giveOne(record))
  readonly #end: () => void
  #revisions = new Map<string, number>()
  #theirSet: string | undefined
  isOther = false

  constructor(parts: SharedParts) {
    this.#parts = parts
    this.#end = parts.store.onChange(name, (documents) => this.#apply(documents))
  }

  /** @throws KeysUnwritten */
  async put(record: KeyRecord): Promise<'done' | 'conflict'> {
    const known = this.#parts.mirror.records().get(record.id)
    return (known?.version ?? 0) === record.version - 1 ? this.#write(record) : 'conflict'
  }

  async #write(record: KeyRecord): Promise<'done' | 'conflict'> {
    const { store, mirror } = this.#parts
    try {
      await this.#nameSet()
      const { id } = record
      const written = await store.put(name, id, record, { ifRevision: this.#revisions.get(id) ?? 0 })
      const document = written.done ? { value: record, revision: written.revision } : written.found
      this.#note(id, document)
      const newest = readRecord(document?.value)
      if (newest) mirror.take({ records: [newest] })
      return written.done ? 'done' : 'conflict'
    } catch (thrown) {
      throw thrown instanceof StoreDown ? new KeysUnwritten(thrown.message) : thrown
    }
  }

  /** Takes over what the store holds, whatever set it is. @returns the ids that are known no more. @throws KeysUnwritten */
  async adopt(): Promise<readonly string[]> {
    const { store, mirror } = this.#parts
    const held = await store.all(name).catch((thrown) => {
      throw thrown instanceof StoreDown ? new KeysUnwritten(thrown.message) : thrown
    })
    const set = setOf(held)
    if (set === undefined) throw new KeysUnwritten('it holds no keys at all, and is given those of this gateway')
    const dropped = [...mirror.records().keys()].filter((id) => !held.byKey.has(id))
    mirror.keepOnly(new Set(held.byKey.keys()))
    mirror.remember('meta', [[setKey, set]])
    this.#apply(held)
    return dropped
  }

  /** Reads all; what cannot be read is read later. */
  async read(): Promise<void> {
    const { store, tellFailure } = this.#parts
    try {
      this.#apply(await store.all(name))
    } catch (thrown) {
      tellFailure(thrown)
    }
  }

  close(): void {
    this.#end()
  }

  #apply(held: Documents): void {
    const { mirror, tellFailure } = this.#parts
    const [theirs, ours] = [setOf(held), this.#ourSet()]
    this.#theirSet = theirs
    this.#revisions = new Map([...held.byKey].map(([id, { revision }]) => [id, revision]))
    this.isOther = theirs !== undefined && ours !== theirs && mirror.records().size > 0
    if (this.isOther) return
    const read = [...held.byKey].flatMap(([id, { value }]) => (id === setKey ? [] : (readRecord(value) ?? [])))
    try {
      if (theirs !== undefined && ours !== theirs) mirror.remember('meta', [[setKey, theirs]])
      mirror.take({ records: read })
    } catch (thrown) {
      tellFailure(thrown)
    }
    const versions = new Map(read.map(({ id, version }) => [id, version]))
    this.#give(new Map([...mirror.records()].filter(([id, { version }]) => version > (versions.get(id) ?? 0))))
  }

  /** What the store lacks, or has in an older version: it came back without what was written last. */
  async #giveOne(record: KeyRecord): Promise<boolean> {
    try {
      await this.#write(record)
      return true
    } catch (thrown) {
      this.#parts.tellFailure(thrown)
      return false
    }
  }

  /** The first key makes the set; of two who make one at once, the first. */
  async #nameSet(): Promise<void> {
    if (this.#theirSet !== undefined) return
    const { store, mirror } = this.#parts
    const ours = this.#ourSet() ?? randomUUID()
    const written = await store.put(name, setKey, ours, { ifRevision: 0 })
    const theirs = written.done ? ours : String(written.found?.value)
    if (theirs !== ours && mirror.records().size > 0) throw new KeysUnwritten('another set of keys has just come there')
    this.#theirSet = theirs
    mirror.remember('meta', [[setKey, theirs]])
  }

  #ourSet(): string | undefined {
    return this.#parts.mirror.recall('meta').get(setKey)
  }

  #note(id: string, document: Document | undefined): void {
    if (document) this.#revisions.set(id, document.revision)
    else this.#revisions.delete(id)
  }
}

function setOf({ byKey }: Documents): string | undefined {
  const value = byKey.get(setKey)?.value
  return typeof value === 'string' ? value : undefined
}
